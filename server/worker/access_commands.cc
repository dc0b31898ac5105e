#include "server/base/text.h"
#include "server/wire/commands.h"
#include "server/worker/access.h"
#include "server/worker/handlers.h"
#include "server/worker/people.h"

/// access.explain: which rule decides, and why.
namespace chancery::worker {
namespace {

/// Oneself, or whom the parameters name.
Result<realm::Caller> caller_in(Session& session, const Params& params) {
  const realm::Caller self{session.identity().name, session.identity().role_names()};
  if (!params.has("identity") && !params.has("roles")) return self;
  realm::Caller caller{params.text("identity", self.identity), params.texts("roles")};
  if (caller.identity == self.identity && !params.has("roles")) return self;
  if (!session.identity().roles.allow(Role::Auditor))
    return Error(Code::Denied, "what others may is told to auditors and administrators, " + self.identity + " has " +
                                   (self.roles.empty() ? "none" : base::join(self.roles, ", ")));
  PKI_TRY_VOID(check_role_names(session, caller.roles));
  constexpr std::string_view kPerson = "user:";
  if (params.has("roles") || !caller.identity.starts_with(kPerson)) return caller;
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto person, store->person(caller.identity.substr(kPerson.size())));
  if (!person.enabled) return Error(Code::Conflict, person.name + " is disabled, and may nothing");
  caller.roles = realm::known_role_names(session.realm().people, person.roles);
  return caller;
}

Result<realm::About> about_in(const Params& params) {
  realm::About about{params.text("profile"), {}, {}, {}};
  if (params.has("subject")) {
    PKI_TRY(const auto name, x509::Name::parse_any(params.text("subject")));
    about.subject = name.to_slash();
    about.cn = name.common_name().value_or("");
  }
  for (const auto& text : params.texts("sans")) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    about.sans.push_back(std::move(name));
  }
  return about;
}

/// What stands before the rules: the command table, and what the realm demands beyond it.
std::string fault_in_roles(const config::RealmConfig& realm, const wire::Command& command, const Roles& roles) {
  auto demanded = command.least_role;
  const auto more = realm.command_roles.find(std::string(command.name));
  if (demanded != Role::Anonymous && !roles.allow(demanded))
    return "the command table demands the role " + std::string(base::to_text(demanded));
  if (more == realm.command_roles.end() || roles.allow(more->second)) return {};
  return "command_roles of ca.config.yml demands the role " + std::string(base::to_text(more->second));
}

}  // namespace

Result<Json> access_explain(Session& session, const Params& params) {
  const auto* const command = wire::find_command(params.text("command"));
  if (command == nullptr)
    return Error(Code::InvalidParams, "unknown command \"" + base::printable(params.text("command"), 64) + "\"",
                 "server.describe lists the commands");
  PKI_TRY(const auto caller, caller_in(session, params));
  PKI_TRY(const auto about, about_in(params));
  const auto& people = session.realm().people;
  const bool is_about = params.has("profile") || params.has("subject") || params.has("sans");
  const auto fault = fault_in_roles(session.realm(), *command, realm::roles_from_names(people, caller.roles));
  auto verdict = realm::judge_access(people, caller, command->name, command->least_role, is_about ? &about : nullptr);
  auto out = Json::object({{"identity", caller.identity},
                           {"roles", Json::strings(caller.roles)},
                           {"command", std::string(command->name)},
                           {"least_role", std::string(base::to_text(command->least_role))},
                           {"allowed", fault.empty() && verdict.allowed},
                           {"why", fault.empty() ? verdict.why : fault}});
  if (fault.empty() && verdict.rule) out.set("rule", people.access.at(*verdict.rule).name);
  return out;
}

}  // namespace chancery::worker
