#include "server/worker/dispatch.h"

#include <algorithm>
#include <array>
#include <vector>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/wire/commands.h"
#include "server/worker/access.h"
#include "server/worker/administrator.h"
#include "server/worker/audit.h"
#include "server/worker/handlers.h"
#include "server/worker/start.h"

namespace chancery::worker {
namespace {

struct Binding {
  std::string_view name;
  Handler handler;
};
constexpr std::array kBindings{
#define COMMAND(name, handler, role, state, effect, params, result, doc) Binding{name, handler},
#include "server/wire/commands.def"
#undef COMMAND
};
static_assert(std::ranges::is_sorted(kBindings, {}, &Binding::name));

Error unknown_method(std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& command : wire::commands()) known.push_back(command.name);
  const auto near = base::did_you_mean(name, known);
  return {Code::UnknownMethod, "unknown command \"" + base::printable(name, 64) + "\"",
          near.empty() ? "server.describe lists the commands" : "did you mean \"" + std::string(near) + "\"?"};
}

/// What the table says about the session.
Status check_state(const Session& session, const wire::Command& command) {
  if (command.state == wire::In::Anywhere) return {};
  const std::string name(command.name);
  if (!session.is_open()) return Error(Code::NoSession, name + " needs an open session", "call session.open first");
  if (command.state == wire::In::Holder && !session.login())
    return Error(Code::Denied,
                 name + " needs somebody who came with a certificate; this session is of " + session.identity().name,
                 "session.attest and session.login give one");
  return {};
}

/// Whether the command is the front end's own business, whomever its session is attested for.
bool is_its_own(const Session& session, const wire::Command& command) {
  return command.state == wire::In::FrontEnd && session.is_attested();
}

/// "A realm may demand more than the table's least role, never less": both must allow.
Status check_roles(const Session& session, const wire::Command& command) {
  const auto& roles = (is_its_own(session, command) ? session.opened_as() : session.identity()).roles;
  auto demanded = command.least_role;
  bool allowed = demanded == Role::Anonymous || roles.allow(demanded);
  if (allowed && session.is_open()) {
    const auto more = session.realm().command_roles.find(std::string(command.name));
    if (more != session.realm().command_roles.end() && !roles.allow(more->second)) {
      demanded = more->second;
      allowed = false;
    }
  }
  if (allowed) return {};
  return Error(Code::Denied, std::string(command.name) + " needs the role " + std::string(base::to_text(demanded)) + ", " +
                                 session.identity().name + " has " + (roles.empty() ? "none" : base::join(roles.names(), ", ")));
}

Result<Json> run(Session& session, const wire::Request& request) {
  const auto* command = wire::find_command(request.method);
  if (command == nullptr) return unknown_method(request.method);
  if (!is_its_own(session, *command)) PKI_TRY_VOID(check_login_holds(session));
  PKI_TRY_VOID(check_state(session, *command));
  session.take_in_hand(command);
  PKI_TRY_VOID(check_roles(session, *command));
  PKI_TRY_VOID(wire::check_params(*command, request.params));
  PKI_TRY_VOID(check_access(session, *command, Params(request.params)));
  const auto handler = handler_of(command->name);
  if (command->effect != wire::Effect::Acts) return handler(session, Params(request.params));
  PKI_TRY_VOID(audit_begin(session, request));
  auto outcome = handler(session, Params(request.params));
  audit_end(session, request, outcome);
  return outcome;
}

Result<Json> run_guarded(Session& session, const wire::Request& request) {
  const struct InHand {  // no rule is asked about a command that has ended
    Session& session;
    ~InHand() { session.take_in_hand(nullptr); }
  } in_hand{session};
  try {
    return run(session, request);
  } catch (const std::exception& bug) {
    base::log_error(request.method + ": bug: " + bug.what());
    return Error(Code::Internal, "internal error", "the server's log has the details");
  }
}

std::string request_id(const Json& id) { return id.is_string() ? *id.as_string() : wire::to_text(id); }

}  // namespace

Handler handler_of(std::string_view command) {
  const auto found = std::ranges::lower_bound(kBindings, command, {}, &Binding::name);
  PKI_CHECK(found != kBindings.end() && found->name == command);
  return found->handler;
}

std::vector<config::KnownCommand> known_commands() {
  std::vector<config::KnownCommand> known;
  for (const auto& command : wire::commands()) known.push_back({command.name, command.least_role});
  return known;
}

std::string dispatch(Session& session, std::string_view line) {
  auto request = wire::decode_request(line);
  if (!request.ok()) return wire::encode_error(Json(), request.error());
  const auto attested = session.act_for(request->acting_for);
  session.answer_within(request->within);
  base::set_log_context({session.is_open() ? session.realm().name.text() : "", session.requester(), request_id(request->id)});
  auto outcome = attested.ok() ? run_guarded(session, *request) : attested.error();
  // Refusals, too, tell what is stored.
  if (const auto durable = session.settle(); !durable.ok() && !session.rests_on_published()) outcome = durable.error();
  if (outcome.ok()) {
    base::log_debug(request->method + ": ok");
    return wire::encode_result(request->id, *outcome);
  }
  audit_refusal(session, *request, outcome.error());
  base::log_info(request->method + ": " + std::string(base::describe(outcome.error().code()).text) + ": " +
                 outcome.error().message());
  return wire::encode_error(request->id, outcome.error());
}

}  // namespace chancery::worker
