#include "server/worker/acme_terms.h"

#include <algorithm>
#include <array>

#include "server/config/challenge_methods.h"
#include "server/realm/acme_states.h"
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
    OrderRule{"blocked-names", "rejectedIdentifier", Code::PolicyRefused},
    OrderRule{"policy", "rejectedIdentifier", Code::PolicyRefused},
    OrderRule{"validity", "malformed", Code::InvalidParams},
};

constexpr std::string_view kAsterisk = "*.";

/// A kind of name and the setting that says how it may be proved.
struct Kind {
  config::ProofOf proof;
  std::string_view what;
  std::vector<std::string> config::AcmeConfig::*methods;
};
constexpr std::array kKinds{
    Kind{config::ProofOf::Name, "DNS names", &config::AcmeConfig::challenges},
    Kind{config::ProofOf::Wildcard, "wildcard names", &config::AcmeConfig::wildcard_challenges},
    Kind{config::ProofOf::Address, "IP addresses", &config::AcmeConfig::ip_challenges},
};

const Kind& kind_of(bool address, bool wildcard) {
  const auto proof = address ? config::ProofOf::Address : wildcard ? config::ProofOf::Wildcard : config::ProofOf::Name;
  return *std::ranges::find(kKinds, proof, &Kind::proof);
}

const Kind& kind_of(const x509::GeneralName& name) {
  return kind_of(name.type == x509::GeneralName::Type::Ip, is_wildcard(name));
}

/// As an authorization keeps it. A method without a token says by which names of the CA its records may call it.
Json challenge_of(const config::AcmeConfig& acme, const store::AcmeOrder& order, const std::string& method) {
  auto challenge =
      Json::object({{"type", method}, {"status", std::string(realm::acme_challenge_life().begins())}, {"order", order.id}});
  if (config::find_challenge_method(method)->has_token) return challenge.set("token", random_id());
  return challenge.set("issuer_domain_names", Json::strings(acme.caa_identities));
}

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
    names.push_back(std::move(name));
  }
  return each_once(names);
}

Result<std::vector<x509::GeneralName>> each_once(const std::vector<x509::GeneralName>& names) {
  std::vector<x509::GeneralName> once;
  for (const auto& name : names) {
    if (std::ranges::find(once, name) == once.end()) once.push_back(name);
  }
  if (once.empty()) return Error(Code::InvalidParams, "the order has no identifiers");
  return once;
}

std::set<x509::GeneralName> as_set(const std::vector<x509::GeneralName>& names) { return {names.begin(), names.end()}; }

bool is_wildcard(const x509::GeneralName& name) { return name.value.starts_with(kAsterisk); }

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
  wanted.key_stands_in = true;
  wanted.rule = "acme";
  PKI_TRY(const auto decision, judge(session, wanted));
  for (const auto& row : kOrderRules) {
    const auto check = std::ranges::find(decision.checks, row.rule, &realm::Check::rule);
    if (check != decision.checks.end() && !check->passed) return acme_error(row.type, row.code, check->detail);
  }
  return {};
}

std::vector<std::string> methods_for(const config::AcmeConfig& acme, const x509::GeneralName& name) {
  return acme.*kind_of(name).methods;
}

bool offers(const config::AcmeConfig& acme, const store::AcmeAuthorization& authorization, std::string_view method) {
  const auto& offered = acme.*kind_of(authorization.type == "ip", authorization.wildcard).methods;
  return std::ranges::find(offered, method) != offered.end();
}

Status check_provable(const config::AcmeConfig& acme, const std::vector<x509::GeneralName>& names) {
  for (const auto& name : names) {
    const auto& kind = kind_of(name);
    if (is_wildcard(name) && acme.upki_clients == "yes")
      return acme_error("rejectedIdentifier", Code::PolicyRefused,
                        name.value + ": no wildcard is taken unproven (acme.upki_clients)");
    if (!(acme.*kind.methods).empty()) continue;
    return acme_error("rejectedIdentifier", Code::PolicyRefused,
                      name.value + ": " + std::string(kind.what) + " are not certified by ACME in this realm");
  }
  return {};
}

store::AcmeAuthorization authorization_of(const std::string& account, const x509::GeneralName& name) {
  const bool wildcard = is_wildcard(name);
  store::AcmeAuthorization authorization{};
  authorization.account = account;
  authorization.type = realm::type_word(name);
  authorization.value = wildcard ? name.value.substr(kAsterisk.size()) : name.value;
  authorization.wildcard = wildcard;
  return authorization;
}

store::AcmeAuthorization authorization_for(const config::AcmeConfig& acme, const store::AcmeOrder& order,
                                           const x509::GeneralName& name, Seconds now) {
  Json challenges = Json::array();
  for (const auto& method : methods_for(acme, name)) challenges.push_back(challenge_of(acme, order, method));
  auto authorization = authorization_of(order.account, name);
  authorization.id = random_id();
  authorization.status = realm::acme_authorization_life().begins();
  authorization.expires = order.expires;
  authorization.created_at = now;
  authorization.challenges = wire::to_text(challenges);
  return authorization;
}

Json identifier_of(const store::AcmeAuthorization& authorization) {
  return Json::object({{"type", authorization.type}, {"value", authorization.value}});
}

std::string ordered_name(const store::AcmeAuthorization& authorization) {
  return std::string(authorization.wildcard ? kAsterisk : "") + authorization.value;
}

Json ordered_identifier(const store::AcmeAuthorization& authorization) {
  return Json::object({{"type", authorization.type}, {"value", ordered_name(authorization)}});
}

}  // namespace chancery::worker
