#include "server/worker/acme_renewal.h"

#include <algorithm>

#include "server/realm/renewal.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_terms.h"
#include "server/worker/handlers.h"

namespace chancery::worker {
namespace {

/// The two halves of an identifier.
struct CertificateId {
  Bytes authority_key_id;
  Serial serial;
};

Error malformed(std::string_view what) {
  return acme_error("malformed", Code::InvalidParams, "certificate identifier: " + std::string(what));
}

/// X.690 8.3.2: the shortest form; RFC 5280 4.1.2.2: positive.
bool is_der_serial(const Bytes& octets) {
  constexpr std::uint8_t kSign = 0x80;
  if (octets.empty() || (octets[0] & kSign) != 0) return false;
  return octets[0] != 0 || (octets.size() > 1 && (octets[1] & kSign) != 0);
}

Result<CertificateId> parse(const std::string& text) {
  const auto dot = text.find('.');
  if (dot == std::string::npos || text.find('.', dot + 1) != std::string::npos)
    return malformed("expected two texts of base64url with one dot between them (RFC 9773 4.1)");
  auto key_id = base::from_base64url(text.substr(0, dot));
  const auto serial = base::from_base64url(text.substr(dot + 1));
  if (!key_id.ok() || key_id->empty() || !serial.ok()) return malformed("one of its halves is empty or no base64url");
  if (!is_der_serial(*serial)) return malformed("its second half is no serial number as DER has it");
  auto number = Serial::from_octets(*serial);
  if (!number.ok()) return malformed(number.error().message());
  return CertificateId{std::move(*key_id), std::move(*number)};
}

Error no_such_certificate() { return {Code::NotFound, "there is no such certificate"}; }

/// A CA that ends before its certificate, or has given way to another, takes the certificate along.
Result<realm::RenewalWindow> window_of(Session& session, const store::CertificateRecord& record) {
  const bool is_revoked = record.state == store::CertificateState::Revoked;
  realm::RenewalFacts facts{
      record.serial, record.not_before, record.not_after, is_revoked ? record.revoked_at : std::nullopt, {}};
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.der));
  PKI_TRY(const auto* authority, session.authority());
  const auto above = session.generation_above(certificate);
  if (above.ok()) {
    const auto& generation = **above;
    facts.authority_ends = generation.authority->certificate.not_after();
    // A generation that drains is waited for: its certificates are renewed while there is time, at the next one.
    if (generation.state == realm::GenerationState::Draining && generation.name() == authority->name)
      facts.replaced_at = authority->certificate.not_before();
    if (generation.state == realm::GenerationState::Retired && !facts.ended_at)
      facts.ended_at = authority->certificate.not_before();
  } else if (!facts.ended_at) {
    facts.ended_at = authority->certificate.not_before();
  }
  return realm::renewal_window(facts);
}

}  // namespace

Result<bool> holds_all_names(store::Store& store, const std::string& account, const x509::Certificate& certificate, Seconds now) {
  for (const auto& name : certificate.sans()) {
    if (name.type != x509::GeneralName::Type::Dns && name.type != x509::GeneralName::Type::Ip) return false;
    PKI_TRY(const auto proved, store.find_valid_acme_authorization(authorization_of(account, name), now));
    if (!proved) return false;
  }
  return !certificate.sans().empty();
}

Result<store::CertificateRecord> certificate_of_id(store::Store& store, const std::string& id) {
  PKI_TRY(const auto parsed, parse(id));
  auto record = store.certificate(parsed.serial);
  if (!record.ok()) return record.error().code() == Code::NotFound ? no_such_certificate() : record.error();
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record->der));
  if (!std::ranges::equal(certificate.authority_key_id(), parsed.authority_key_id)) return no_such_certificate();
  return record;
}

Status check_replacement(store::Store& store, const Replacing& order, Seconds now) {
  const auto record = certificate_of_id(store, order.certificate_id);
  if (!record.ok() && record.error().code() == Code::NotFound)
    return acme_error("malformed", Code::InvalidParams, "replaces: there is no such certificate");
  if (!record.ok()) return record.error();
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record->der));
  const auto its_names = as_set(certificate.sans());
  if (std::ranges::none_of(order.names, [&](const auto& name) { return its_names.contains(name); }))
    return acme_error("malformed", Code::InvalidParams, "replaces: the order and the certificate have no name in common");
  if (obtained_by(store, order.account, *record)) return {};
  PKI_TRY(const bool holds, holds_all_names(store, order.account, certificate, now));
  if (holds) return {};
  return acme_error("unauthorized", Code::Denied,
                    "replaces: another account obtained the certificate, and this one has not proved all of its names");
}

Result<std::set<x509::GeneralName>> names_due(Session& session, store::Store& store, const std::string& id) {
  if (id.empty()) return std::set<x509::GeneralName>();
  const auto record = certificate_of_id(store, id);
  if (!record.ok() && record.error().code() == Code::NotFound) return std::set<x509::GeneralName>();
  if (!record.ok()) return record.error();
  PKI_TRY(const auto window, window_of(session, *record));
  if (session.clock().now() < window.start) return std::set<x509::GeneralName>();
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record->der));
  return as_set(certificate.sans());
}

Result<Json> acme_renewal_get(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, certificate_of_id(*store, params.text("certificate_id")));
  const bool is_revoked = record.state == store::CertificateState::Revoked;
  PKI_TRY(const auto window, window_of(session, record));
  auto out = Json::object({{"start", base::to_rfc3339(window.start)}, {"end", base::to_rfc3339(window.end)}});
  const auto& page = session.realm().acme.renewal_explanation;
  if (is_revoked && !page.empty()) out.set("explanation_url", page);
  return out;
}

}  // namespace chancery::worker
