#include "server/worker/acme_documents.h"

#include <algorithm>
#include <array>

#include "server/store/acme_grant.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_terms.h"

namespace chancery::worker {
namespace {

/// Members of a stored challenge that are nobody else's: who validates it, what was found, for which order it was made.
constexpr std::array<std::string_view, 10> kForValidators{"asked_from",   "claim",     "claimed_until",     "evidence",
                                                          "order",        "caa_claim", "caa_claimed_until", "caa_checked_at",
                                                          "caa_evidence", "vouched"};

/// Asked for, and whoever was to validate it has not been heard of since.
bool is_interrupted(const Json& challenge, Seconds now) {
  return challenge.text("status") == "processing" && base::from_epoch(challenge.integer("claimed_until")) <= now;
}

}  // namespace

Json describe_account(const store::AcmeAccount& account, bool created) {
  return Json::object({{"id", account.id},
                       {"status", account.status},
                       {"contact", wire::parse_json(account.contact).value_or(Json::array())},
                       {"jwk", wire::parse_json(account.jwk).value_or(Json::object())},
                       {"terms_agreed", account.terms_agreed},
                       {"created_at", base::to_rfc3339(account.created_at)},
                       {"created", created}});
}

std::string challenge_status(const Json& challenge, Seconds now) {
  return is_interrupted(challenge, now) ? "pending" : challenge.text("status");
}

Json describe_without_challenges(const store::AcmeAuthorization& authorization, Seconds now) {
  return Json::object({{"id", authorization.id},
                       {"account", authorization.account},
                       {"identifier", identifier_of(authorization)},
                       {"wildcard", authorization.wildcard},
                       {"status", authorization_status(authorization, now)},
                       {"expires", base::to_rfc3339(authorization.expires)}});
}

Json describe_authorization(const store::AcmeAuthorization& authorization, Seconds now) {
  Json challenges = Json::array();
  const auto stored = challenges_of(authorization);
  for (const auto& one : *stored.as_array()) {
    if (one.text("type") == store::kGrant) continue;
    auto shown = Json::object();
    for (const auto& [name, value] : *one.as_object()) {
      if (std::ranges::find(kForValidators, name) == kForValidators.end()) shown.set(name, value);
    }
    shown.set("status", challenge_status(one, now));
    if (is_interrupted(one, now)) shown.set("interrupted", true);
    challenges.push_back(std::move(shown));
  }
  return describe_without_challenges(authorization, now).set("challenges", std::move(challenges));
}

Json describe_order(const store::AcmeOrder& order) {
  auto out = Json::object({{"id", order.id},
                           {"account", order.account},
                           {"status", store::is_held_back(order) ? "processing" : order.status},
                           {"identifiers", wire::parse_json(order.identifiers).value_or(Json::array())},
                           {"authorizations", Json::strings(order.authorizations)},
                           {"profile", order.profile},
                           {"expires", base::to_rfc3339(order.expires)}});
  if (order.not_before) out.set("not_before", base::to_rfc3339(*order.not_before));
  if (order.not_after) out.set("not_after", base::to_rfc3339(*order.not_after));
  if (!order.error.empty()) out.set("error", wire::parse_json(order.error).value_or(Json::object()));
  if (!order.serial.empty()) out.set("serial", order.serial);
  if (!order.replaces.empty()) out.set("replaces", order.replaces);
  return out;
}

Json describe_rules(const config::AcmeConfig& acme) {
  std::vector<std::string> profiles{acme.profile.text()};
  for (const auto& one : acme.profiles) {
    if (!(one == acme.profile)) profiles.push_back(one.text());
  }
  return Json::object({{"enabled", acme.enabled},
                       {"terms_of_service", acme.terms_of_service},
                       {"profiles", Json::strings(profiles)},
                       {"http01_port", acme.http01_port},
                       {"tlsalpn01_port", acme.tlsalpn01_port},
                       {"resolver", acme.resolver},
                       {"dnssec_anchors", Json::strings(acme.dnssec_anchors)},
                       {"caa_identities", Json::strings(acme.caa_identities)},
                       {"allow_loopback", acme.allow_loopback},
                       {"allowed_networks", Json::strings(acme.allowed_networks)},
                       {"forbidden_networks", Json::strings(acme.forbidden_networks)},
                       {"vantage_points", Json::strings(acme.vantage_points)},
                       {"vantage_quorum", acme.quorum()},
                       {"upki_clients", acme.upki_clients == "yes"},
                       {"external_account", acme.external_account}});
}

}  // namespace chancery::worker
