#include "server/base/log.h"
#include "server/base/text.h"
#include "server/realm/assemble.h"
#include "server/realm/auto_approval.h"
#include "server/realm/policy.h"
#include "server/worker/clients_mode.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/key_source.h"
#include "server/worker/node_key.h"
#include "server/worker/seeds.h"

namespace chancery::worker {
namespace {

Status read_common(Order& order, const Params& params) {
  PKI_TRY(order.profile, ProfileName::parse(params.text("profile", "server")));
  PKI_TRY_VOID(set_sans(order, params.texts("sans")));
  if (params.has("days")) order.validity = std::chrono::days{params.integer("days")};
  order.ca = params.text("ca");
  order.hmac = params.text("hmac");
  order.signature = params.text("signature");
  order.idempotency_key = params.text("idempotency_key");
  order.rule = params.text("way", "command");
  return {};
}

Result<Json> answer(Session& session, const Result<Issued>& issued) {
  if (!issued.ok()) return issued.error();
  return describe_issued(session, issued->certificate, issued->profile);
}

/// What is asked for a key pair that is made here, still without it.
Result<Order> order_for_name(const std::string& cn) {
  Order order;
  order.subject.attributes.push_back({"CN", cn});
  PKI_TRY_VOID(order.subject.check());
  order.subject_from = realm::SubjectFrom::Profile;
  return order;
}

/// The key signs a request of its own, so that the signer sees a proof like any other.
Status set_generated(Order& order, const crypto::PrivateKey& key) {
  PKI_TRY(const auto der, x509::make_csr(key, order.subject, {}));
  PKI_TRY(auto csr, x509::Csr::from_der(der));
  order.key = csr.public_key();
  order.csr = std::move(csr);
  return {};
}

Result<base::KeySpec> generated_kind(const Session& session, const ProfileName& profile, const Params& params) {
  if (params.has("key")) return base::parse_key_spec(params.text("key"));
  PKI_TRY(const auto* found, profile_of(session, profile));
  return found->key;
}

/// A key pair of the server's, put into the order. Policy is asked before one is taken from the pool or made: a refusal costs
/// none. That may take seconds, so it comes before anything is used up, and is in vain when nobody waits any more.
Result<crypto::PrivateKey> pair_for(Session& session, Order& order, base::KeySpec kind) {
  PKI_TRY(const auto decision, judge(session, order));
  if (!decision.allowed()) return decision.refusal();
  PKI_TRY(auto key, key_pair(session, kind));
  PKI_TRY_VOID(set_generated(order, key));
  PKI_TRY_VOID(session.check_wanted());
  return key;
}

/// Issues for the pair that pair_for has put into the order.
Result<Json> issue_pair(Session& session, const Params& params, const Order& order, const crypto::PrivateKey& key,
                        bool store_key) {
  PKI_TRY(const auto issued, issue(session, order));
  const auto pem = key.to_pem();
  if (store_key) PKI_TRY_VOID(store_node_key(session.realm(), params.text("cn"), pem, issued.certificate.pem()));
  PKI_TRY(auto out, describe_issued(session, issued.certificate, issued.profile));
  if (params.boolean("return_key", true)) out.set("private_key", base::as_text(pem.view()));
  return out;
}

Json describe_checks(const realm::Decision& decision) {
  Json list = Json::array();
  for (const auto& check : decision.checks) {
    list.push_back(Json::object({{"rule", check.rule}, {"passed", check.passed}, {"detail", check.detail}}));
  }
  return list;
}

/// The one explanation of the realm's rules, whatever door asks.
Json describe_ruling(const realm::Ruling& ruling) {
  auto proofs = Json::array();
  for (const auto& one : ruling.points.proofs)
    proofs.push_back(Json::object({{"proof", one.label}, {"points", one.points}, {"holds", one.holds}}));
  return Json::object({{"rule", ruling.rule},
                       {"granted", ruling.granted},
                       {"points", ruling.points.shown},
                       {"needed", ruling.points.needed},
                       {"proofs", std::move(proofs)}});
}

Json extension(std::string_view name, bool critical, std::string value) {
  return Json::object({{"name", name}, {"critical", critical}, {"value", std::move(value)}});
}

/// What assemble would write, in words. The lists come from the same spec that the signer builds.
Json describe_extensions(const x509::TbsSpec& spec, const base::KeySpec& key) {
  Json list = Json::array();
  list.push_back(
      extension("basicConstraints", true,
                spec.is_ca ? "CA" + (spec.path_length ? ", path length " + std::to_string(*spec.path_length) : "") : "no CA"));
  list.push_back(extension("keyUsage", true, base::join(x509::key_usage_for(key.kind, spec.key_usage), ", ")));
  if (!spec.extended_key_usage.empty())
    list.push_back(extension("extendedKeyUsage", false, base::join(spec.extended_key_usage, ", ")));
  if (!spec.sans.empty())
    list.push_back(extension("subjectAltName", spec.subject.empty(), base::join(san_texts(spec.sans), ", ")));
  if (!spec.crl_delta_urls.empty()) list.push_back(extension("freshestCRL", false, base::join(spec.crl_delta_urls, ", ")));
  if (!spec.crl_urls.empty()) list.push_back(extension("cRLDistributionPoints", false, base::join(spec.crl_urls, ", ")));
  if (!spec.ca_issuer_urls.empty())
    list.push_back(extension("authorityInfoAccess caIssuers", false, base::join(spec.ca_issuer_urls, ", ")));
  if (!spec.ocsp_urls.empty()) list.push_back(extension("authorityInfoAccess ocsp", false, base::join(spec.ocsp_urls, ", ")));
  return list;
}

Result<Order> order_for_preview(Session& session, const Params& params) {
  if (params.has("csr")) {
    PKI_TRY(auto order, order_from_csr(params.text("csr")));
    PKI_TRY_VOID(order.csr->verify_possession());
    return order;
  }
  if (!params.has("cn")) return Error(Code::InvalidParams, "neither csr nor cn is given, expected one");
  PKI_TRY(const auto name, ProfileName::parse(params.text("profile", "server")));
  PKI_TRY(const auto* profile, profile_of(session, name));
  // A key of the cheapest kind that the profile takes: a preview shows names and rules, and keeps nothing.
  const auto spec = profile->allowed_keys.empty() ? base::KeySpec{} : profile->allowed_keys.front();
  PKI_TRY(const auto key, crypto::PrivateKey::generate(spec));
  PKI_TRY(auto order, order_for_name(params.text("cn")));
  PKI_TRY_VOID(set_generated(order, key));
  return order;
}

/// What a seed that was right does not allow.
Status check_grant(const SeedGrant& grant, const ProfileName& profile, const std::string& cn) {
  if (grant.profile && *grant.profile != profile)
    return Error(Code::PolicyRefused, "this seed is for profile " + grant.profile->text() + ", not for " + profile.text());
  if (grant.cn.empty() || grant.cn == cn) return {};
  return Error(Code::PolicyRefused, "this seed is for \"" + base::printable(grant.cn, 64) + "\" alone");
}

/// What is registered, and which kind of key pair its profile wants.
struct Registration {
  Order order;
  base::KeySpec kind;
};

Result<Registration> registration(Session& session, const Params& params, const SeedGrant& grant) {
  PKI_TRY(const auto profile, ProfileName::parse(params.text("profile", grant.profile ? grant.profile->text() : "ra")));
  PKI_TRY(const auto* found, profile_of(session, profile));
  PKI_TRY_VOID(check_registrable(*found));
  PKI_TRY_VOID(check_grant(grant, profile, params.text("cn")));
  PKI_TRY(auto order, order_for_name(params.text("cn")));
  PKI_TRY_VOID(read_common(order, params));
  order.profile = profile;
  order.roles = Roles{Role::RaOperator};  // the seed stands in for the role
  order.by_seed = true;
  order.rule = grant.id.empty() ? "seed" : "seed " + grant.id;
  return Registration{std::move(order), found->key};
}

/// For clients that wait: what takes its turn too late is not done at all.
Result<Issued> issue_if_wanted(Session& session, const Order& order) {
  PKI_TRY_VOID(session.check_wanted());
  return issue(session, order);
}

/// Whether the profile's rules approve what a holder renews (doc/four-eyes.md).
bool holder_may(Session& session, const Order& order) {
  const auto profile = session.realm().profiles.find(order.profile);
  const realm::AutoFacts facts{.subject = order.subject,
                               .names = order.sans,
                               .hosts = {},
                               .address = {},
                               .is_own_renewal = true,
                               .now = session.clock().now()};
  return profile != session.realm().profiles.end() && !realm::approving_rule(profile->second.approval, facts).empty();
}

}  // namespace

Result<Json> certificate_issue(Session& session, const Params& params) {
  PKI_TRY(auto order, order_from_csr(params.text("csr")));
  PKI_TRY_VOID(read_common(order, params));
  PKI_TRY_VOID(check_clients_mode(session, Asks::Signature,
                                  {order.subject.common_name().value_or(""), order.subject.to_slash(), order.sans}));
  return answer(session, issue_if_wanted(session, order));
}

Result<Json> certificate_generate(Session& session, const Params& params) {
  if (!params.boolean("return_key", true) && !params.boolean("store_key"))
    return Error(Code::InvalidParams, "the key would be neither returned nor stored, so nobody would have it",
                 "set store_key, or leave return_key out");
  PKI_TRY(auto order, order_for_name(params.text("cn")));
  PKI_TRY_VOID(read_common(order, params));
  PKI_TRY_VOID(check_clients_mode(session, Asks::Generation, {params.text("cn")}));
  PKI_TRY(const auto kind, generated_kind(session, order.profile, params));
  PKI_TRY(const auto key, pair_for(session, order, kind));
  return issue_pair(session, params, order, key, params.boolean("store_key"));
}

Result<Json> node_register(Session& session, const Params& params) {
  PKI_TRY_VOID(check_clients_mode(session, Asks::Registration, {params.text("cn")}));
  PKI_TRY(const auto grant, read_seed(session, params.text("seed")));
  PKI_TRY(auto wanted, registration(session, params, grant));
  PKI_TRY(const auto key, pair_for(session, wanted.order, wanted.kind));
  PKI_TRY_VOID(take_use(session, grant));
  auto registered = issue_pair(session, params, wanted.order, key, false);
  if (!registered.ok()) give_back(session, grant, registered.error());
  return registered;
}

Result<Json> certificate_preview(Session& session, const Params& params) {
  PKI_TRY(auto order, order_for_preview(session, params));
  PKI_TRY_VOID(read_common(order, params));
  PKI_TRY(auto decision, judge(session, order));
  PKI_TRY(const auto* generation, generation_for(session, order));
  const auto* authority = &*generation->authority;
  const auto& profile = session.realm().profiles.at(order.profile);
  if (decision.allowed()) decision.checks.push_back(realm::lint_check(session.realm(), profile, *authority, decision.grant));
  const auto spec = realm::assemble(session.realm(), profile, *authority, decision.grant);
  auto answer = Json::object({{"allowed", decision.allowed()},
                              {"reasons", describe_checks(decision)},
                              {"subject", spec.subject.to_slash()},
                              {"sans", Json::strings(san_texts(spec.sans))},
                              {"profile", order.profile.text()},
                              {"not_before", base::to_rfc3339(spec.not_before)},
                              {"not_after", base::to_rfc3339(spec.not_after)},
                              {"key", base::to_text(order.key.spec())},
                              {"extensions", describe_extensions(spec, order.key.spec())}});
  if (decision.ruling) answer.set("policy", describe_ruling(*decision.ruling));
  return answer;
}

/// Whose name another node has taken since has the certificate's role no longer, and gets it back by no renewal.
Status check_role_stands(Session& session, const store::CertificateRecord& record) {
  if (record.cn.empty() || session.identity().roles.allow(realm::kMakesHolders)) return {};
  PKI_TRY(auto* store, session.store());
  const auto node = store->node(record.cn);
  if (!node.ok()) return node.error().code() == Code::NotFound ? Status() : Status(node.error());
  const bool is_its_own = node->profile == record.profile && node->subject == record.subject;
  if (is_its_own || (!config::gives_role(record.profile) && !config::gives_role(node->profile))) return {};
  return Error(Code::Denied,
               "node " + base::printable(record.cn, 64) + " is " + node->subject + " of profile " + node->profile +
                   " by now, so certificate " + record.serial.hex() + " of profile " + record.profile + " is not renewed",
               "that needs the role " + std::string(base::to_text(realm::kMakesHolders)));
}

Result<Json> certificate_renew(Session& session, const Params& params) {
  return renew_certificate(session, params, session.identity().roles);
}

Result<Json> renew_certificate(Session& session, const Params& params, const Roles& roles, bool is_holder) {
  PKI_TRY(const auto serial, params.serial());
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, store->certificate(serial));
  if (record.state != store::CertificateState::Valid)
    return Error(Code::Conflict,
                 "certificate " + serial.hex() + " is " + std::string(store::to_text(record.state)) + ", expected a valid one");
  PKI_TRY_VOID(check_clients_mode(session, Asks::Renewal, {record.cn}));
  if (record.der.empty())
    return Error(Code::Conflict,
                 "of certificate " + serial.hex() + " only the serial is known: it was taken over without its file",
                 "issue a new one, and revoke this one");
  PKI_TRY_VOID(check_role_stands(session, record));
  PKI_TRY(const auto old, x509::Certificate::from_der(record.der));
  Order order;
  if (params.has("csr")) {
    PKI_TRY(order, order_from_csr(params.text("csr")));
  } else {
    order.key = old.public_key();
    order.renews = serial;
  }
  order.follows = serial;
  order.follows_until = old.not_after();
  order.subject = old.subject();
  order.sans = old.sans();
  order.roles = roles;
  order.rule = "renewal of " + serial.hex();
  PKI_TRY(order.profile, ProfileName::parse(record.profile));
  order.is_holders = is_holder;
  order.is_approved = is_holder && holder_may(session, order);
  if (params.has("days")) order.validity = std::chrono::days{params.integer("days")};
  order.idempotency_key = params.text("idempotency_key");
  return answer(session, issue_if_wanted(session, order));
}

Result<Json> listener_certify(Session& session, const Params& params) {
  for (const auto& listener : session.snapshot().server.listeners) {
    if (listener.name != params.text("listener") || listener.default_realm != session.realm().name.text()) continue;
    PKI_TRY(auto order, order_from_csr(params.text("csr")));
    PKI_TRY_VOID(set_sans(order, listener.names));  // not the request's: the configuration names them
    order.subject = x509::Name{};
    order.names_are_configured = true;
    order.roles = Roles{Role::RaOperator};
    order.rule = "listener:" + listener.name;
    return answer(session, issue(session, order));
  }
  return Error(Code::NotFound, "no listener \"" + params.text("listener") + "\" whose certificates this realm makes");
}

}  // namespace chancery::worker
