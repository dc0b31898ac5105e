#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/realm/policy.h"
#include "server/worker/announce.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/x509/pem.h"

/// Nodes as uPKI's older CA had them: named with their profile before there is a key or a certificate (UPKI.md 1.7).
namespace chancery::worker {
namespace {

constexpr std::string_view kFactPrefix = "announced:";

std::string fact_of(const std::string& dn) { return std::string(kFactPrefix) + dn; }

/// The same number for the same DN, positive, of 48 bits: clients of the older dialect want one for each node.
std::int64_t number_of(const std::string& dn) {
  constexpr int kOctets = 6;
  const auto digest = crypto::sha256(base::as_bytes(dn));
  std::int64_t number = 0;
  for (int i = 0; i < kOctets; ++i) number = number * 256 + digest[static_cast<std::size_t>(i)];
  return number + 1;
}

/// The slash form, under which announcements are kept. @errors Malformed, InvalidParams.
Result<x509::Name> name_from(const Params& params) {
  PKI_TRY(auto name, x509::Name::parse_any(params.text("dn")));
  if (!name.common_name()) return Error(Code::InvalidParams, "the DN has no common name");
  return name;
}

Result<std::optional<Json>> announced(store::Store& store, const std::string& dn) {
  PKI_TRY(const auto text, store.get_meta(fact_of(dn)));
  if (!text || text->empty()) return std::optional<Json>();  // empty: forgotten
  PKI_TRY(auto fact, wire::parse_json(*text));
  return std::optional<Json>(std::move(fact));
}

Result<std::vector<std::string>> sans_from(const Params& params) {
  std::vector<std::string> sans;
  for (const auto& text : params.texts("sans")) {
    PKI_TRY(const auto name, x509::GeneralName::parse(text.find(':') == std::string::npos ? "DNS:" + text : text));
    sans.push_back(name.to_text());
  }
  return sans;
}

/// For how many days the node's certificates are to be made. @errors PolicyRefused: more than its profile allows.
Result<std::int64_t> days_of(const Params& params, const config::Profile& profile) {
  const auto most = std::chrono::floor<std::chrono::days>(profile.validity);
  const std::chrono::days days{params.integer("days", most.count())};
  if (days <= most) return std::int64_t{days.count()};
  return Error(Code::PolicyRefused, "validity of " + base::in_words(days) + ", profile " + profile.name.text() +
                                        " allows at most " + base::in_words(profile.validity));
}

/// What is announced is certified later, by whoever signs then: so it takes who may have it certified.
Status check_may_announce(const Session& session, const config::Profile& profile) {
  const auto given = config::holders_role(profile);
  if (!given) return {};
  return check_may_give_role(session, "a node announced for profile " + profile.name.text() + " is " + std::string(given->what));
}

}  // namespace

Result<std::vector<std::string>> announced_names(store::Store& store, const std::string& dn) {
  PKI_TRY(const auto fact, announced(store, dn));
  if (!fact) return Error(Code::NotFound, "node not announced: " + dn);
  return fact->texts("sans");
}

Status forget_announcement(store::Store& store, const std::string& dn) {
  PKI_TRY(const auto known, store.get_meta(fact_of(dn)));
  return known && !known->empty() ? store.set_meta(fact_of(dn), "") : Status();
}

Result<Json> node_announce(Session& session, const Params& params) {
  PKI_TRY(const auto name, name_from(params));
  PKI_TRY(const auto profile_name, ProfileName::parse(params.text("profile", "server")));
  PKI_TRY(const auto* profile, profile_of(session, profile_name));
  PKI_TRY_VOID(check_may_announce(session, *profile));
  PKI_TRY(const auto sans, sans_from(params));
  const auto dn = name.to_slash();
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto before, announced(*store, dn));
  if (before && !params.boolean("replace"))
    return Error(Code::Exists, "node " + dn + " is announced already", "replace it, if that is meant");
  if (!before && params.boolean("replace")) return Error(Code::NotFound, "node " + dn + " is not announced");
  PKI_TRY(const auto days, days_of(params, *profile));
  auto fact = Json::object({{"number", number_of(dn)},
                            {"dn", dn},
                            {"cn", *name.common_name()},
                            {"profile", profile_name.text()},
                            {"sans", Json::strings(sans)},
                            {"days", days},
                            {"announced_at", base::to_rfc3339(session.clock().now())}});
  PKI_TRY_VOID(store->set_meta(fact_of(dn), wire::to_text(fact)));
  base::log_info("node " + dn + " of profile " + profile_name.text() + " announced by " + session.requester());
  return fact;
}

Result<Json> node_announced(Session& session, const Params& params) {
  PKI_TRY(const auto name, name_from(params));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto fact, announced(*store, name.to_slash()));
  if (fact) return *fact;
  return Error(Code::NotFound, "node not announced: " + name.to_slash());
}

Result<Json> certificate_request(Session& session, const Params& params) {
  PKI_TRY(const auto name, name_from(params));
  Order order;
  order.subject = name;
  PKI_TRY(order.profile, ProfileName::parse(params.text("profile", "server")));
  PKI_TRY_VOID(set_sans(order, params.texts("sans")));
  PKI_TRY(const auto decision, judge(session, order));  // before the key is made, which may take seconds
  if (!decision.allowed()) return decision.refusal();
  PKI_TRY(const auto* profile, profile_of(session, order.profile));
  PKI_TRY(const auto key, crypto::PrivateKey::generate(profile->key));
  PKI_TRY(const auto der, x509::make_csr(key, order.subject, order.sans));
  const auto pem = key.to_pem();
  return Json::object({{"private_key", base::as_text(pem.view())},
                       {"csr", x509::to_pem(x509::kRequestLabel, der)},
                       {"subject", name.to_slash()}});
}

}  // namespace chancery::worker
