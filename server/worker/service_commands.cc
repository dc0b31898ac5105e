#include <algorithm>
#include <set>

#include "server/base/log.h"
#include "server/worker/ask_signer.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/services.h"

/// ca.service.renew, ra.open, ra.sign, and what is shown of services.
namespace chancery::worker {
namespace {

static_assert(signer::kServiceRule == store::kServiceRule);

/// What the signer certified is a certificate like others: found, revoked, on CRLs. It is no node's.
Status store_service(Session& session, const signer::ServiceInfo& service) {
  PKI_TRY(const auto certificate, x509::Certificate::from_pem(service.certificate));
  PKI_TRY(auto* store, session.store());
  const auto known = store->certificate(certificate.serial());
  if (known.ok()) return {};
  if (known.error().code() != Code::NotFound) return known.error();
  auto row = to_stored(certificate, service.ca, service.purpose, service.at);
  row.cn.clear();
  row.requester = service.requester;
  row.rule = signer::kServiceRule;
  PKI_TRY(const auto added, store->add_certificate(row));
  if (added == store::Added::Already) return {};
  base::log_info("service " + service.label + " has certificate " + row.serial.hex() + " of " + service.ca + " until " +
                 base::to_rfc3339(row.not_after));
  return {};
}

/// One whose key is still to come.
Json describe_absent(const std::string& name, const config::CaConfig& row, std::string_view state) {
  return Json::object({{"name", name}, {"ca", name}, {"state", state}, {"purpose", row.purpose}});
}

Result<std::vector<signer::ServiceInfo>> known_to_signer(Session& session) {
  return ask_signer(session, [](auto& signer) { return signer.services(); });
}

/// DER in base64. @errors InvalidParams.
Result<Bytes> octets_of(const Params& params, std::string_view name) {
  auto octets = base::from_base64(params.text(name));
  if (octets.ok()) return octets;
  return Error(Code::InvalidParams, "parameter " + std::string(name) + ": found no base64");
}

/// "OID:BASE64"
Result<x509::SignedAttribute> attribute_from(const std::string& text) {
  const auto colon = text.find(':');
  const auto value =
      colon == std::string::npos ? Result<Bytes>(Error(Code::Malformed, "")) : base::from_base64(text.substr(colon + 1));
  if (!value.ok())
    return Error(Code::InvalidParams,
                 "parameter attributes: found one of another form, expected OID:BASE64 with the value's DER");
  return x509::SignedAttribute{text.substr(0, colon), *value};
}

Json as_message(const Bytes& octets) { return Json::object({{"message", base::to_base64(octets)}}); }

}  // namespace

bool has_services(const config::RealmConfig& realm) {
  return std::ranges::any_of(realm.cas, [](const auto& one) { return one.second.is_service(); });
}

Json describe_service(const Session& session, const signer::ServiceInfo& service) {
  const auto label = realm::parse_label(service.label);
  auto out = Json::object(
      {{"name", service.label}, {"purpose", service.purpose}, {"certified_by", service.ca}, {"phase", service.state}});
  if (label.ok()) out.set("ca", label->name).set("generation", std::int64_t{label->number});
  const auto certificate = x509::Certificate::from_pem(service.certificate);
  if (!certificate.ok()) return out.set("state", "unavailable");
  out.set("state", session.clock().now() > certificate->not_after() ? "expired" : "ready");
  add_certificate(out, *certificate);
  return out;
}

void add_services(Session& session, Json& list) {
  const auto& realm = session.realm();
  if (!has_services(realm)) return;
  const auto known = known_to_signer(session);
  std::set<std::string> shown;
  if (known.ok()) {
    for (const auto& one : *known) {
      list.push_back(describe_service(session, one));
      shown.insert(realm::parse_label(one.label)->name);
    }
  }
  for (const auto& [name, row] : realm.cas) {
    if (row.is_service() && !shown.contains(name))
      list.push_back(describe_absent(name, row, known.ok() ? "waiting" : "unavailable"));
  }
}

Result<std::vector<std::string>> missing_services(Session& session) {
  std::vector<std::string> out;
  const auto& realm = session.realm();
  if (!has_services(realm)) return out;
  PKI_TRY(const auto services, known_to_signer(session));
  PKI_TRY(const auto* generations, session.generations());
  const auto now = session.clock().now();
  for (const auto& [name, row] : realm.cas) {
    if (!row.is_service()) continue;
    for (const auto& one : *generations) {
      const bool is_its = one.name() == (row.issuer.empty() ? config::kFirstCa : row.issuer) &&
                          one.state == realm::GenerationState::Active && one.authority &&
                          now < one.authority->certificate.not_after();
      const bool is_served = std::ranges::any_of(services, [&](const auto& service) {
        const auto label = realm::parse_label(service.label);
        return service.state == "active" && service.purpose == row.purpose && label.ok() && label->name == name &&
               (!row.is_responder() || service.ca == one.label);
      });
      if (is_its && !is_served) out.push_back("service " + name + " has no key that " + one.label + " certified");
    }
  }
  return out;
}

Result<Json> ca_service_renew(Session& session, const Params& /*params*/) {
  auto list = Json::array();
  if (!has_services(session.realm())) return Json::object({{"services", std::move(list)}});
  PKI_TRY(auto* signer, session.signer());
  const auto renewed = signer->renew_services(session.requester());
  // What was made is stored, whatever could not be.
  PKI_TRY(const auto services, renewed.ok() ? renewed : signer->services());
  for (const auto& one : services) {
    PKI_TRY_VOID(store_service(session, one));
    list.push_back(describe_service(session, one));
  }
  if (!renewed.ok()) return renewed.error();
  return Json::object({{"services", std::move(list)}});
}

Result<Json> ra_open(Session& session, const Params& params) {
  PKI_TRY(auto octets, octets_of(params, "message"));
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto content, signer->open_for_ra({params.text("ca"), std::move(octets), {}}));
  return as_message(content);
}

Result<Json> ra_sign(Session& session, const Params& params) {
  signer::RaQuestion question{.service = params.text("ca"), .octets = {}, .attributes = {}};
  PKI_TRY(question.octets, octets_of(params, "message"));
  for (const auto& text : params.texts("attributes")) {
    PKI_TRY(auto attribute, attribute_from(text));
    question.attributes.push_back(std::move(attribute));
  }
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto message, signer->sign_for_ra(question));
  return as_message(message);
}

}  // namespace chancery::worker
