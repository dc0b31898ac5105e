#include <algorithm>

#include "server/base/glob.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/config/value.h"
#include "server/realm/access.h"
#include "server/wire/commands.h"
#include "server/worker/handlers.h"
#include "server/worker/people.h"
#include "server/worker/tokens.h"

/// token.*: what people's programs log in with.
namespace chancery::worker {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::chrono::days kKept{30};  ///< an expired one is listed so long
constexpr std::size_t kPurgedAtOnce = 100;
constexpr std::size_t kDefaultPage = 100;

Json describe(const store::LoginTokenRecord& token, Seconds now) {
  return Json::object({{"id", token.id},
                       {"user", token.person},
                       {"state", token.expires_at > now ? "good" : "expired"},
                       {"commands", Json::strings(token.commands)},
                       {"roles", Json::strings(token.roles)},
                       {"note", token.note},
                       {"expires_at", base::to_rfc3339(token.expires_at)},
                       {"created_at", base::to_rfc3339(token.created_at)},
                       {"created_by", token.created_by}});
}

Result<std::chrono::seconds> lifetime_from(const std::string& text) {
  const auto parsed =
      config::Codec<std::chrono::seconds>::parse(config::SettingInfo{.least = 60, .most = 366 * kDay, .type = "duration"}, text);
  if (!parsed.ok()) return Error(Code::InvalidParams, "expires: " + parsed.error().message());
  return parsed;
}

Status check_commands(const std::vector<std::string>& globs) {
  for (const auto& glob : globs) {
    const auto matches = [&](const wire::Command& one) { return base::matches_glob(glob, one.name); };
    if (std::ranges::any_of(wire::commands(), matches)) continue;
    return Error(Code::InvalidParams, "commands: no command is \"" + base::printable(glob, 64) + "\"",
                 "server.describe lists the commands; * stands for any part");
  }
  return {};
}

/// One's own; an administrator's, anybody's. Never by a token: what leaks once would live for ever.
Result<std::string> owner_of(const Session& session, const Params& params) {
  const auto& login = session.person_login();
  if (login && !login->token.empty()) return Error(Code::Denied, "a token makes no token", "log in with a password");
  if (!params.has("user")) {
    if (login && login->must_be_known) return login->person;
    return Error(Code::InvalidParams, session.identity().name + " is no person of the realm, expected user",
                 "identity.create makes one");
  }
  PKI_TRY(auto user, person_name(params.text("user")));
  PKI_TRY_VOID(check_own_or(session, user, Role::Admin));
  return user;
}

/// Nobody gives by a token what is not there to give: it would count from the day that the person has it.
Status check_roles(Session& session, const store::PersonRecord& person, const std::vector<std::string>& roles) {
  PKI_TRY_VOID(check_role_names(session, roles));
  const auto& people = session.realm().people;
  const auto& login = session.person_login();
  auto names = person.roles;
  if (login && login->person == person.name) names = session.identity().role_names();
  const auto all = realm::roles_from_names(people, names);
  for (const auto& role : roles) {
    const auto built_in = base::role_from_text(role);
    if (std::ranges::find(names, role) != names.end() || (built_in.ok() && all.allow(*built_in))) continue;
    return Error(Code::Denied, person.name + " has no role " + role + " to give to a token");
  }
  return {};
}

}  // namespace

Result<Json> token_create(Session& session, const Params& params) {
  PKI_TRY(const auto owner, owner_of(session, params));
  PKI_TRY(const auto lifetime, lifetime_from(params.text("expires", "90d")));
  const auto commands = params.texts("commands");
  const auto roles = params.texts("roles");
  PKI_TRY_VOID(check_commands(commands));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto person, store->person(owner));
  PKI_TRY_VOID(check_roles(session, person, roles));
  const auto now = session.clock().now();
  const auto token = make_token();
  const store::LoginTokenRecord record{.id = token.id,
                                       .digest = digest_of_token(token.text),
                                       .person = owner,
                                       .commands = commands,
                                       .roles = roles,
                                       .note = params.text("note"),
                                       .expires_at = now + lifetime,
                                       .created_at = now,
                                       .created_by = session.requester()};
  PKI_TRY_VOID(store->purge_login_tokens(now - kKept, kPurgedAtOnce));
  PKI_TRY_VOID(store->add_login_token(record));
  base::log_info("token " + token.id + " of " + owner + " made by " + session.requester());
  return describe(record, now).set("token", token.text);
}

Result<Json> token_list(Session& session, const Params& params) {
  std::string owner;
  if (params.has("user")) {
    PKI_TRY(owner, person_name(params.text("user")));
    PKI_TRY_VOID(check_own_or(session, owner, Role::Auditor));
  } else if (!session.identity().roles.allow(Role::Auditor)) {
    PKI_TRY(owner, own_name(session));
  }
  PKI_TRY(auto* store, session.store());
  const auto limit = std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1);
  PKI_TRY(const auto page, store->login_tokens(owner, static_cast<std::size_t>(limit), params.text("after")));
  Json rows = Json::array();
  for (const auto& token : page.items) rows.push_back(describe(token, session.clock().now()));
  auto out = Json::object({{"tokens", std::move(rows)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

Result<Json> token_revoke(Session& session, const Params& params) {
  const auto id = params.text("id");
  PKI_TRY(auto* store, session.store());
  const auto token = store->login_token(id);
  const Error not_there(Code::NotFound, "no token " + id);
  if (!token.ok()) return token.error();
  // Somebody else's looks the same as none.
  if (!check_own_or(session, token->person, Role::Admin).ok()) return not_there;
  PKI_TRY_VOID(store->delete_login_token(id));
  base::log_info("token " + id + " of " + token->person + " revoked by " + session.requester());
  return Json::object({{"id", id}});
}

}  // namespace chancery::worker
