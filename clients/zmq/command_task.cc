#include <algorithm>
#include <array>

#include "clients/zmq/params.h"
#include "clients/zmq/task_list.h"
#include "server/base/text.h"
#include "server/wire/commands.h"
#include "server/wire/message.h"

/// `command`: one command of the daemon's socket, for a peer that is a front end on another machine. Each message names all that
/// it needs, so that any thread may serve it and a peer that goes leaves nothing behind.
namespace chancery::zmq_gateway {
namespace {

constexpr std::string_view kAttest = "session.attest";  ///< who the holder is, and nothing else

/// What is not a front end's business on another machine: what would change this program's own session, and the certificates of
/// listeners that are here.
constexpr std::array kNotCarried{std::string_view{"listener.certify"}, std::string_view{"server.log_level"},
                                 std::string_view{"session.login"}};

Status check_carried(const std::string& method) {
  if (method == kAttest) return {};
  const auto* command = wire::find_command(method);
  if (command == nullptr) return Error(Code::UnknownMethod, "[700] Unknown command: " + base::printable(method, 64));
  const bool is_of_a_realm = command->state == wire::In::Realm || command->state == wire::In::Holder;
  if (is_of_a_realm && std::ranges::find(kNotCarried, method) == kNotCarried.end()) return {};
  return Error(Code::Denied, "[700] " + method + " is not carried, expected a command about the realm of this port");
}

Result<Json> params_of(const Json& params) {
  const auto& given = value_of(params, "params");
  if (given.is_null()) return Json::object();
  if (given.is_object()) return given;
  return Error(Code::InvalidParams, "params of the command is " + std::string(given.kind()) + ", expected an object");
}

Status check_realm(const Backend& backend, const Json& params) {
  PKI_TRY(const auto realm, text_or(params, "realm", backend.realm()));
  if (realm == backend.realm()) return {};
  return Error(Code::NotFound, "[700] no realm \"" + base::printable(realm, 64) + "\" at this port");
}

/// {"result": …} or {"error": …}, as the socket answers.
Result<Json> as_reply(const Result<Json>& outcome) {
  if (outcome.ok()) return Json::object({{"result", *outcome}});
  PKI_TRY(const auto reply, wire::parse_json(wire::encode_error(Json(), outcome.error())));
  return Json::object({{"error", *reply.find("error")}});
}

}  // namespace

Result<Json> command(Backend& backend, const Json& params) {
  PKI_TRY(const auto method, need(params, "method"));
  PKI_TRY_VOID(check_carried(method));
  PKI_TRY_VOID(check_realm(backend, params));
  PKI_TRY(auto inner, params_of(params));
  PKI_TRY(const auto acting_for, text_or(params, "for", ""));
  PKI_TRY(const auto holder, text_or(params, "certificate", ""));
  const auto identity = backend.speak_for(holder);
  if (!identity.ok() && identity.error().code() == Code::Denied) return identity.error();  // the task is not for this peer
  if (!identity.ok() || method == kAttest) return as_reply(identity);
  return as_reply(backend.call_for(method, std::move(inner), acting_for));
}

}  // namespace chancery::zmq_gateway
