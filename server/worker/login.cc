#include "server/worker/login.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/config/value.h"
#include "server/worker/administrator.h"
#include "server/worker/login_count.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMostName = 64;
constexpr std::size_t kSessionIdOctets = 8;
constexpr std::chrono::days kCountsKept{2};  ///< longer than any lockout
constexpr std::size_t kPurgedAtOnce = 20;
constexpr std::string_view kSecrets = "password token certificate signature user";

struct MethodRow {
  std::string_view name;
  std::string_view needs;  ///< parameters, separated by blanks
  bool counts_person;      ///< its secrets can be guessed
  Method prove;
};
constexpr std::array kMethods{MethodRow{"password", "user password", true, prove_by_password},
                              MethodRow{"token", "token", false, prove_by_token},
                              MethodRow{"certificate", "certificate signature", false, prove_by_certificate},
                              MethodRow{"unix", "", false, prove_by_unix},
                              MethodRow{"program", "user password", true, prove_by_program},
                              MethodRow{"ldap", "user password", true, prove_by_ldap}};

Result<const config::LoginStack*> stack_of(const Session& session, const std::string& name) {
  const auto& logins = session.realm().people.logins;
  const auto found = logins.find(name);
  if (found != logins.end()) return &found->second;
  std::vector<std::string> known;
  for (const auto& [one, stack] : logins) known.push_back(one);
  return Error(Code::InvalidParams, "no login stack \"" + base::printable(name, kMostName) + "\" in this realm",
               known.empty() ? "logins of ca.config.yml has none" : "there are " + base::join(known, ", "));
}

Status check_method_params(const MethodRow& method, const std::string& stack, const Params& params) {
  const auto needed = config::words_of(method.needs);
  for (const auto& name : config::words_of(kSecrets)) {
    const bool wanted = std::ranges::find(needed, name) != needed.end();
    if (params.has(name) == wanted) continue;
    return Error(Code::InvalidParams, "login stack " + stack + " is by " + std::string(method.name) + ", found it " +
                                          (wanted ? "without " : "with ") + name);
  }
  return {};
}

/// Roles by name that the person has at this moment.
std::vector<std::string> roles_now(const Session& session, const PersonLogin& login, const store::PersonRecord* person) {
  const auto& people = session.realm().people;
  auto names = login.by_stack;
  if (person != nullptr) names.insert(names.end(), person->roles.begin(), person->roles.end());
  names = realm::known_role_names(people, names);
  if (login.only_roles.empty()) return names;
  // A token never has more than its owner, whatever it was made for.
  const auto all = realm::roles_from_names(people, names);
  std::vector<std::string> narrowed;
  for (const auto& name : realm::known_role_names(people, login.only_roles)) {
    const auto built_in = base::role_from_text(name);
    if (std::ranges::find(names, name) != names.end() || (built_in.ok() && all.allow(*built_in))) narrowed.push_back(name);
  }
  return narrowed;
}

Identity identity_for(const Session& session, const std::string& name, std::vector<std::string> given) {
  auto roles = realm::roles_from_names(session.realm().people, given);
  // Through a front end no more than that may (DESIGN 4).
  if (!session.vouching().front_end.empty()) roles = roles.narrowed_to(session.vouching().roles);
  return {name, session.opened_as().front_end, roles, std::move(given)};
}

Error refused(Session& session, const std::string& why, const Params& params) {
  base::log_warning("login by " + base::printable(params.text("stack"), kMostName) + " refused for " +
                    base::printable(params.text("user", "somebody"), kMostName) + ": " + why);
  session.closing = session.count_failed_login() >= kMostFailedLogins;
  // One answer for every reason: a stranger learns nothing about who there is.
  return {Code::AuthFailed, "login refused", "the realm's log and audit stream have the reason"};
}

/// Where the realm limits how often somebody is in.
Status take_place(Session& session, PersonLogin& login, Seconds now) {
  const auto& limits = session.realm().people.limits;
  login.seen_at = now;
  login.noted_at = now;
  const auto latest = now + limits.lifetime;
  login.ends_at = login.ends_at == Seconds{} ? latest : std::min(login.ends_at, latest);
  if (limits.sessions == 0 || login.person.empty()) return {};
  PKI_TRY(auto* store, session.store());
  store::LoginSession place{login.person, base::to_hex(base::random_bytes(kSessionIdOctets)), login.ends_at};
  PKI_TRY(const bool had, store->begin_login_session(place, static_cast<std::size_t>(limits.sessions), limits.idle, now));
  if (!had)
    return Error(Code::Busy, login.person + " is logged in " + std::to_string(limits.sessions) + " times, as often as may be",
                 "end one of these sessions, or wait until one is idle for too long");
  login.counted = std::move(place);
  return {};
}

Result<Json> enter(Session& session, Proof proof) {
  const auto* const person = proof.person ? &*proof.person : nullptr;
  auto given = roles_now(session, proof.login, person);
  auto identity = identity_for(session, proof.identity, std::move(given));
  if (identity.roles.empty())
    return Error(Code::Denied, proof.identity + " has no role in realm " + session.realm().name.text(),
                 "an administrator gives one by identity.roles, or the login stack in ca.config.yml");
  PKI_TRY_VOID(take_place(session, proof.login, session.clock().now()));
  base::log_info("login: " + identity.name + " by " + proof.login.stack + ", roles " + base::join(identity.given, ","));
  session.log_in(std::move(identity), std::move(proof.certificate), std::move(proof.login));
  return identity_of(session);
}

/// Of people who need not be known to the realm: who is known, and disabled, stays out.
Status add_person(Session& session, Proof& proof) {
  if (proof.person || proof.login.person.empty()) return {};
  PKI_TRY(auto* store, session.store());
  auto person = store->person(proof.login.person);
  if (!person.ok()) return person.error().code() == Code::NotFound ? Status() : Status(person.error());
  if (!person->enabled) return Error(Code::AuthFailed, "the person is disabled");
  proof.person = std::move(*person);
  return {};
}

Result<Proof> prove(Session& session, const MethodRow& method, const config::LoginStack& stack, const Params& params) {
  PKI_TRY(auto proof, method.prove(session, stack, params));
  PKI_TRY_VOID(add_person(session, proof));
  proof.login.stack = params.text("stack");
  for (auto& role : realm::roles_given(stack, proof.shown)) proof.login.by_stack.push_back(std::move(role));
  return proof;
}

Error ended(Session& session, const std::string& why) {
  const auto who = session.identity().name;
  base::log_warning("the login of " + who + " ended: " + why);
  session.end_login();
  return {Code::AuthFailed, "the login of " + who + " ended: " + why, "call session.login again"};
}

/// What the login stands on, beside time. @return the roles by name that it gives now.
Result<std::vector<std::string>> look_again(Session& session, PersonLogin& login) {
  const auto& logins = session.realm().people.logins;
  if (session.login()) {
    PKI_TRY(const auto shown, shown_by_certificate(session, *session.login()));
    login.by_stack = realm::roles_given(logins.at(login.stack), shown);
  }
  if (login.person.empty()) return roles_now(session, login, nullptr);
  PKI_TRY(auto* store, session.store());
  if (!login.token.empty()) {
    const auto token = store->login_token(login.token);
    if (!token.ok() && token.error().code() == Code::NotFound) return Error(Code::AuthFailed, "the token was revoked");
    if (!token.ok()) return token.error();
  }
  const auto person = store->person(login.person);
  if (!person.ok() && person.error().code() != Code::NotFound) return person.error();
  if (!person.ok() && login.must_be_known) return Error(Code::AuthFailed, "the person was deleted");
  if (person.ok() && !person->enabled) return Error(Code::AuthFailed, "the person is disabled");
  return roles_now(session, login, person.ok() ? &*person : nullptr);
}

/// At most a few writes for each stretch that counts as idle.
Status note_presence(Session& session, PersonLogin& login, Seconds now) {
  login.seen_at = now;
  if (!login.counted || now - login.noted_at < session.realm().people.limits.idle / 4) return {};
  PKI_TRY(auto* store, session.store());
  const auto seen = store->see_login_session(*login.counted, now);
  if (!seen.ok() && seen.error().code() == Code::NotFound) return Error(Code::AuthFailed, "another login took its place");
  login.noted_at = now;
  return seen;
}

}  // namespace

Json identity_of(const Session& session) {
  auto out = Json::object({{"realm", session.realm().name.text()},
                           {"identity", session.identity().name},
                           {"roles", Json::strings(session.identity().role_names())},
                           {"challenge", session.challenge()}});
  const auto& login = session.person_login();
  if (login) out.set("stack", login->stack).set("until", base::to_rfc3339(login->ends_at));
  return out;
}

Result<std::string> person_name(const std::string& text) {
  auto name = base::to_lower_ascii(text);
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '@';
  };
  const bool begins_well = !name.empty() && name.front() != '-' && name.front() != '.';
  if (begins_well && name.size() <= kMostName && std::ranges::all_of(name, fits)) return name;
  return Error(Code::InvalidParams,
               "user \"" + base::printable(text, kMostName) + "\", expected 1 to 64 of a-z 0-9 . _ @ -, neither . nor - first");
}

Result<Json> log_in_by_stack(Session& session, const Params& params) {
  const auto name = params.text("stack");
  PKI_TRY(const auto* stack, stack_of(session, name));
  const auto* const method = std::ranges::find(kMethods, stack->method, &MethodRow::name);
  PKI_CHECK(method != kMethods.end());
  PKI_TRY_VOID(check_method_params(*method, name, params));
  PKI_TRY(auto* store, session.store());
  const auto now = session.clock().now();
  PKI_TRY_VOID(store->purge_login_counts(now - kCountsKept, kPurgedAtOnce));
  PKI_TRY(auto attempt, LoginAttempt::begin(session, method->counts_person ? params.text("user") : std::string()));
  auto proof = prove(session, *method, *stack, params);
  session.renew_challenge();
  PKI_TRY_VOID(attempt.end(proof.ok() ? Status() : Status(proof.error())));
  if (!proof.ok() && proof.error().code() == Code::AuthFailed) return refused(session, proof.error().message(), params);
  if (!proof.ok()) return proof.error();
  return enter(session, std::move(*proof));
}

Status check_person_holds(Session& session) {
  auto& login = *session.person_login();
  const auto now = session.clock().now();
  if (now >= login.ends_at) return ended(session, "its time is over");
  if (now - login.seen_at >= session.realm().people.limits.idle) return ended(session, "it was idle for too long");
  auto names = look_again(session, login);
  if (!names.ok() && names.error().code() == Code::AuthFailed) return ended(session, names.error().message());
  if (!names.ok()) return names.error();
  auto identity = identity_for(session, session.identity().name, std::move(*names));
  if (identity.roles.empty()) return ended(session, "it gives no role any more");
  const auto noted = note_presence(session, login, now);
  if (!noted.ok() && noted.error().code() == Code::AuthFailed) return ended(session, noted.error().message());
  session.become(std::move(identity));
  return noted;
}

}  // namespace chancery::worker
