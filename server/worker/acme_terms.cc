#include "server/worker/acme_terms.h"

#include <algorithm>
#include <array>

#include "server/realm/names.h"
#include "server/worker/acme_common.h"

namespace chancery::worker {
namespace {

/// The rules of the realm's policy that an order can break before there is a request, and what ACME calls that.
struct OrderRule {
  std::string_view rule;
  std::string_view type;
  Code code;
};
constexpr std::array kOrderRules{
    OrderRule{"names", "rejectedIdentifier", Code::PolicyRefused},
    OrderRule{"reserved-names", "rejectedIdentifier", Code::PolicyRefused},
    OrderRule{"validity", "malformed", Code::InvalidParams},
};

/// The slack that the policy leaves is for the time between order and finalize; an order itself begins within the backdate.
Status check_start(const config::RealmConfig& realm, const std::optional<Seconds>& not_before, Seconds now) {
  if (!not_before || *not_before >= now - realm.backdate) return {};
  return acme_error(
      "malformed", Code::InvalidParams,
      "notBefore " + base::to_rfc3339(*not_before) + " lies too far back, the realm allows " + base::in_words(realm.backdate));
}

}  // namespace

Result<x509::GeneralName> name_of(const Json& identifier) {
  const auto type = identifier.text("type");
  const auto value = identifier.text("value");
  if (type != "dns" && type != "ip")
    return acme_error("unsupportedIdentifier", Code::PolicyRefused, "identifier type \"" + type + "\", expected dns or ip");
  const auto name = x509::GeneralName::parse((type == "dns" ? "DNS:" : "IP:") + value);
  if (!name.ok()) return acme_error("rejectedIdentifier", Code::PolicyRefused, name.error().message());
  if (name->value.starts_with("*.")) {
    return acme_error("rejectedIdentifier", Code::PolicyRefused,
                      "wildcard " + value + ": only dns-01 could prove it, and this server offers http-01");
  }
  if (realm::is_reserved(*name))
    return acme_error("rejectedIdentifier", Code::PolicyRefused, "Domain '" + value + "' is reserved and cannot be used");
  return *name;
}

Json identifier_of(const x509::GeneralName& name) {
  return Json::object({{"type", realm::type_word(name)}, {"value", name.value}});
}

Result<std::vector<x509::GeneralName>> names_of(const Json& identifiers) {
  std::vector<x509::GeneralName> names;
  for (const auto& one : *identifiers.as_array()) {
    PKI_TRY(auto name, name_of(one));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  if (names.empty()) return Error(Code::InvalidParams, "the order has no identifiers");
  return names;
}

Result<ProfileName> profile_for(const Session& session, const Params& params) {
  const auto& acme = session.realm().acme;
  if (!params.has("profile")) return acme.profile;
  PKI_TRY(auto wanted, ProfileName::parse(params.text("profile")));
  // Clients of uPKI look for these words (UPKI.md 7).
  if (!session.realm().profiles.contains(wanted))
    return acme_error("invalidProfile", Code::PolicyRefused, "profile not found: " + wanted.text());
  if (wanted == acme.profile || std::ranges::find(acme.profiles, wanted) != acme.profiles.end()) return wanted;
  return acme_error("invalidProfile", Code::PolicyRefused, "profile " + wanted.text() + " is not offered by ACME in this realm");
}

Status check_policy(Session& session, const store::AcmeAccount& account, Order wanted) {
  PKI_TRY_VOID(check_start(session.realm(), wanted.not_before, session.clock().now()));
  PKI_TRY(const auto jwk, wire::parse_json(account.jwk));
  PKI_TRY(const auto stand_in, read_account_key(jwk));
  wanted.key = stand_in.key;
  PKI_TRY(const auto decision, judge(session, wanted));
  for (const auto& row : kOrderRules) {
    const auto check = std::ranges::find(decision.checks, row.rule, &realm::Check::rule);
    if (check != decision.checks.end() && !check->passed) return acme_error(row.type, row.code, check->detail);
  }
  return {};
}

store::AcmeAuthorization authorization_for(const store::AcmeOrder& order, const x509::GeneralName& name, Seconds now) {
  const auto challenge = Json::object({{"type", "http-01"}, {"token", random_id()}, {"status", "pending"}, {"order", order.id}});
  return store::AcmeAuthorization{.id = random_id(),
                                  .account = order.account,
                                  .type = std::string(realm::type_word(name)),
                                  .value = name.value,
                                  .status = "pending",
                                  .expires = order.expires,
                                  .created_at = now,
                                  .challenges = wire::to_text(Json::array({challenge}))};
}

}  // namespace chancery::worker
