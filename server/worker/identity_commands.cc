#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/password.h"
#include "server/worker/handlers.h"
#include "server/worker/login_count.h"
#include "server/worker/people.h"

/// identity.*: the people whom the realm's own store knows.
namespace chancery::worker {
namespace {

constexpr std::size_t kDefaultPage = 100;
constexpr std::size_t kLeastPassword = 8;

Json describe(const Session& session, const store::PersonRecord& person) {
  const auto roles = realm::known_role_names(session.realm().people, person.roles);
  return Json::object({{"user", person.name},
                       {"identity", "user:" + person.name},
                       {"state", person.enabled ? "enabled" : "disabled"},
                       {"roles", Json::strings(roles)},
                       {"password", person.password.empty() ? "none" : crypto::cost_of(person.password)},
                       {"created_at", base::to_rfc3339(person.created_at)},
                       {"created_by", person.created_by},
                       {"changed_at", base::to_rfc3339(person.changed_at)}});
}

/// The highest cost of the realm's password stacks, or the usual one.
int cost_in(const Session& session) {
  int cost = 0;
  for (const auto& [name, stack] : session.realm().people.logins) {
    if (stack.method == "password") cost = std::max(cost, stack.scrypt_cost);
  }
  return cost == 0 ? config::LoginStack().scrypt_cost : cost;
}

/// NIST SP 800-63B 5.1.1.2: at least 8 characters, and no rules about which.
Result<std::string> hash_of(const Session& session, const std::string& password) {
  if (password.size() < kLeastPassword)
    return Error(Code::InvalidParams, "found a password of " + std::to_string(password.size()) + " octets, expected at least " +
                                          std::to_string(kLeastPassword));
  return crypto::hash_password(SecretBytes(password), cost_in(session));
}

Result<Json> describe_again(Session& session, store::Store& store, const std::string& name) {
  PKI_TRY(const auto person, store.person(name));
  return describe(session, person);
}

/// Guessing one's own old password is logging in, and counts as that.
Status check_old_password(Session& session, store::Store& store, const std::string& name, const std::string& old) {
  PKI_TRY(const auto person, store.person(name));
  PKI_TRY(auto attempt, LoginAttempt::begin(session, name));
  const auto kept = person.password.empty() ? crypto::nobodys_password(cost_in(session)) : person.password;
  const auto right = crypto::is_password(SecretBytes(old), kept);
  Status outcome = right.ok() ? Status() : Status(right.error());
  if (right.ok() && (!*right || person.password.empty())) outcome = Error(Code::AuthFailed, "the old password is not that");
  PKI_TRY_VOID(attempt.end(outcome));
  return outcome;
}

Result<Json> set_enabled(Session& session, const Params& params, bool enabled) {
  PKI_TRY(const auto name, person_name(params.text("user")));
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->set_person_enabled(name, enabled, session.clock().now()));
  base::log_info("person " + name + (enabled ? " enabled by " : " disabled by ") + session.requester());
  return describe_again(session, *store, name);
}

}  // namespace

Result<std::string> own_name(const Session& session) {
  const auto& login = session.person_login();
  if (login && !login->person.empty()) return login->person;
  return Error(Code::InvalidParams, session.identity().name + " is no person of the realm, expected user",
               "log in as a person, or name one");
}

Status check_own_or(const Session& session, const std::string& person, Role role) {
  const auto& login = session.person_login();
  if ((login && login->person == person) || session.identity().roles.allow(role)) return {};
  return Error(Code::Denied, "of others than oneself that needs the role " + std::string(base::to_text(role)));
}

Status check_role_names(const Session& session, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto role : {Role::User, Role::RaOperator, Role::CaOperator, Role::Auditor, Role::Admin}) {
    known.emplace_back(base::to_text(role));
  }
  for (const auto& [name, contained] : session.realm().people.roles) known.push_back(name);
  for (const auto& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return Error(Code::InvalidParams,
                 "roles: unknown role \"" + base::printable(name, 64) + "\", expected one of " + base::join(known, ", "));
  }
  return {};
}

/// What leaks once must not live for ever.
Status check_no_token(const Session& session) {
  const auto& login = session.person_login();
  if (!login || login->token.empty()) return {};
  return Error(Code::Denied, "a token changes no password", "log in with the password");
}

Result<Json> identity_create(Session& session, const Params& params) {
  PKI_TRY(const auto name, person_name(params.text("user")));
  const auto roles = params.texts("roles");
  PKI_TRY_VOID(check_role_names(session, roles));
  const auto now = session.clock().now();
  store::PersonRecord person{.name = name, .password = {}, .roles = roles, .created_at = now, .created_by = session.requester()};
  if (params.has("password")) {
    PKI_TRY_VOID(check_no_token(session));
    PKI_TRY(person.password, hash_of(session, params.text("password")));
  }
  PKI_TRY(auto* store, session.store());
  const auto added = store->add_person(person);
  if (!added.ok() && added.error().code() == Code::Exists) return Error(Code::Exists, "there is a person " + name);
  PKI_TRY_VOID(added);
  base::log_info("person " + name + " with roles " + base::join(roles, ",") + " made by " + session.requester());
  return describe_again(session, *store, name);
}

Result<Json> identity_get(Session& session, const Params& params) {
  PKI_TRY(const auto name, params.has("user") ? person_name(params.text("user")) : own_name(session));
  PKI_TRY_VOID(check_own_or(session, name, Role::Auditor));
  PKI_TRY(auto* store, session.store());
  return describe_again(session, *store, name);
}

Result<Json> identity_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto limit = std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1);
  PKI_TRY(const auto page, store->persons(static_cast<std::size_t>(limit), params.text("after")));
  Json rows = Json::array();
  for (const auto& person : page.items) rows.push_back(describe(session, person));
  auto out = Json::object({{"identities", std::move(rows)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

Result<Json> identity_disable(Session& session, const Params& params) { return set_enabled(session, params, false); }
Result<Json> identity_enable(Session& session, const Params& params) { return set_enabled(session, params, true); }

Result<Json> identity_roles(Session& session, const Params& params) {
  PKI_TRY(const auto name, person_name(params.text("user")));
  const auto roles = params.texts("roles");
  PKI_TRY_VOID(check_role_names(session, roles));
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->set_person_roles(name, roles, session.clock().now()));
  base::log_info("roles of " + name + " are now " + base::join(roles, ",") + " by " + session.requester());
  return describe_again(session, *store, name);
}

Result<Json> identity_password(Session& session, const Params& params) {
  PKI_TRY(const auto name, params.has("user") ? person_name(params.text("user")) : own_name(session));
  PKI_TRY_VOID(check_own_or(session, name, Role::Admin));
  PKI_TRY_VOID(check_no_token(session));
  PKI_TRY(auto* store, session.store());
  const auto& login = session.person_login();
  if (login && login->person == name) {
    if (!params.has("old_password")) return Error(Code::InvalidParams, "old_password is missing: one's own is changed with it");
    PKI_TRY_VOID(check_old_password(session, *store, name, params.text("old_password")));
  }
  PKI_TRY(const auto hash, hash_of(session, params.text("password")));
  PKI_TRY_VOID(store->set_person_password(name, hash, session.clock().now()));
  base::log_info("password of " + name + " changed by " + session.requester());
  return describe_again(session, *store, name);
}

Result<Json> identity_delete(Session& session, const Params& params) {
  PKI_TRY(const auto name, person_name(params.text("user")));
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->delete_person(name));
  base::log_info("person " + name + " deleted by " + session.requester());
  return Json::object({{"user", name}});
}

}  // namespace chancery::worker
