#include <set>

#include "server/store/certificate_rows.h"
#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

namespace chancery::store {
namespace {

constexpr std::string_view kIdempotencyKind = "certificate";

Error not_found(const std::string& what) { return {Code::NotFound, "no certificate " + what}; }

}  // namespace

// ----- storing one

Result<Added> Store::add_certificate(const NewCertificate& certificate, const std::optional<Revocation>& revoked) {
  if (certificate.der.size() > kMaxDerBytes) {
    return Error(Code::TooLarge, "certificate of " + std::to_string(certificate.der.size()) + " octets, at most " +
                                     std::to_string(kMaxDerBytes) + " are stored");
  }
  return transact(*driver_, Access::Write, [&]() -> Result<Added> {
    const auto& c = certificate;
    PKI_TRY(const auto inserted, run("certificate_insert", {{"ca", c.ca},
                                                            {"serial", c.serial},
                                                            {"state", to_text(CertificateState::Valid)},
                                                            {"profile", c.profile},
                                                            {"subject", c.subject},
                                                            {"cn", c.cn},
                                                            {"sans", to_lines(c.sans)},
                                                            {"not_before", c.not_before},
                                                            {"not_after", c.not_after},
                                                            {"issued_at", c.issued_at},
                                                            {"requester", c.requester},
                                                            {"front_end", c.front_end},
                                                            {"rule", c.rule},
                                                            {"evidence", c.evidence},
                                                            {"acme_account", c.acme_account},
                                                            {"acme_order", c.acme_order}}));
    if (inserted.changed == 0) return known_or_clash(c);
    PKI_TRY(const auto stored, run("certificate_der_insert", {{"ca", c.ca}, {"serial", c.serial}, {"der", c.der}}));
    PKI_TRY_VOID(add_sans(c));
    PKI_TRY_VOID(note_idempotency_key(c));
    if (!c.acme_order.empty()) PKI_TRY_VOID(complete_order(c));
    if (!c.reservation.empty()) PKI_TRY_VOID(drop_living_reservation(c.reservation));
    PKI_TRY(const bool compromised, sweep_if_compromised(c));
    if (!c.cn.empty()) {
      PKI_TRY(const auto node, run(c.is_renewal ? "node_renew" : "node_put",
                                   {{"cn", c.cn}, {"ca", c.ca}, {"serial", c.serial}, {"issued_at", c.issued_at}}));
    }
    if (revoked) {
      auto change = *revoked;
      change.ca = c.ca;
      PKI_TRY(const auto changed, apply_state(change, state_after(change)));
    }
    return compromised ? Added::Compromised : Added::New;
  });
}

/// The serial is there already: the same certificate once more, or another one (PROMISES C5, I15).
Result<Added> Store::known_or_clash(const NewCertificate& certificate) {
  PKI_TRY(const auto out, run("certificate_der", {{"ca", certificate.ca}, {"serial", certificate.serial}}));
  if (out.rows.empty()) return Error(Code::Corrupt, "certificate " + certificate.serial.hex() + " is stored without its DER");
  Row row(out, 0);
  const bool same = row.bytes("der") == certificate.der;
  PKI_TRY_VOID(row.status());
  if (!same)
    return Error(Code::Exists, "serial " + certificate.serial.hex() + " belongs to another certificate of CA " + certificate.ca);
  if (!certificate.acme_order.empty()) PKI_TRY_VOID(complete_order(certificate));
  return Added::Already;
}

Status Store::add_sans(const NewCertificate& certificate) {
  for (const auto& san : std::set<std::string>(certificate.sans.begin(), certificate.sans.end())) {
    PKI_TRY(const auto stored,
            run("certificate_san_insert",
                {{"san", san}, {"issued_at", certificate.issued_at}, {"serial", certificate.serial}, {"ca", certificate.ca}}));
  }
  return {};
}

Status Store::note_idempotency_key(const NewCertificate& certificate) {
  if (certificate.idempotency_key.empty()) return {};
  PKI_TRY(const auto stored, run("idempotency_insert", {{"kind", kIdempotencyKind},
                                                        {"key", certificate.idempotency_key},
                                                        {"ca", certificate.ca},
                                                        {"serial", certificate.serial}}));
  if (stored.changed == 1) return {};
  return Error(Code::Conflict, "the idempotency key belongs to another certificate");
}

// ----- finding one

Status Store::add_bytes(CertificateRecord& record) {
  PKI_TRY(const auto out, run("certificate_der", {{"ca", record.ca}, {"serial", record.serial}}));
  if (out.rows.empty()) return Error(Code::Corrupt, "certificate " + record.serial.hex() + " is stored without its DER");
  Row row(out, 0);
  record.der = row.bytes("der");
  return row.status();
}

Result<CertificateRecord> Store::one_certificate(std::string_view statement_name, Binds binds, const std::string& what) {
  PKI_TRY(const auto out, run(statement_name, binds));
  if (out.rows.empty()) return not_found(what);
  return read_certificate(out, 0);
}

/// The row of a serial, without DER.
Result<CertificateRecord> Store::certificate_row(const Serial& serial, const std::string& ca) {
  const std::string what = "with serial " + serial.hex();
  if (!ca.empty()) return one_certificate("certificate_get", {{"ca", ca}, {"serial", serial}}, what);
  PKI_TRY(const auto out, run("certificate_by_serial", {{"serial", serial}}));
  if (out.rows.empty()) return not_found(what);
  if (out.rows.size() == 1) return read_certificate(out, 0);
  return Error(Code::Conflict, "several CAs of this realm issued serial " + serial.hex(), "name the CA");
}

Result<CertificateRecord> Store::certificate(const Serial& serial, const std::string& ca) {
  return transact(*driver_, Access::Read, [&]() -> Result<CertificateRecord> {
    PKI_TRY(auto record, certificate_row(serial, ca));
    PKI_TRY_VOID(add_bytes(record));
    return record;
  });
}

Result<CertificateRecord> Store::newest_by_cn(const std::string& cn) {
  return transact(*driver_, Access::Read, [&]() -> Result<CertificateRecord> {
    PKI_TRY(auto record, one_certificate("certificate_newest_by_cn", {{"cn", cn}}, "with common name " + cn));
    PKI_TRY_VOID(add_bytes(record));
    return record;
  });
}

Result<CertificateRecord> Store::newest_by_subject(const std::string& subject) {
  PKI_TRY(auto found, by_subject(subject, 1));
  if (found.empty()) return Error(Code::NotFound, "no certificate with subject " + subject);
  return std::move(found.front());
}

Result<std::vector<CertificateRecord>> Store::by_subject(const std::string& subject, std::size_t limit) {
  return with_subject("certificates_by_subject", subject, limit);
}

Result<std::vector<CertificateRecord>> Store::of_name(const std::string& subject, std::size_t limit) {
  return with_subject("certificates_of_name", subject, limit);
}

Result<std::vector<CertificateRecord>> Store::with_subject(std::string_view statement_name, const std::string& subject,
                                                           std::size_t limit) {
  return transact(*driver_, Access::Read, [&]() -> Result<std::vector<CertificateRecord>> {
    PKI_TRY(const auto out, run(statement_name, {{"subject", subject}, {"limit", number(limit)}}));
    std::vector<CertificateRecord> found;
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      PKI_TRY(auto record, read_certificate(out, i));
      PKI_TRY_VOID(add_bytes(record));
      found.push_back(std::move(record));
    }
    return found;
  });
}

Result<int> Store::living_with_subject(const std::string& subject, const Living& living) {
  return living_by("certificates_living_by_subject", {"subject", subject}, living);
}

Result<int> Store::living_of_requester(const std::string& requester, const Living& living) {
  return living_by("certificates_living_by_requester", {"requester", requester}, living);
}

Result<int> Store::living_by(std::string_view statement_name, const Bind& whose, const Living& living) {
  return transact(*driver_, Access::Read, [&]() -> Result<int> { return count_living(statement_name, whose, living); });
}

Result<int> Store::count_living(std::string_view statement_name, const Bind& whose, const Living& living) {
  PKI_TRY(const auto out, run(statement_name, {whose,
                                               {"issued_after", base::to_epoch(living.issued_after)},
                                               {"state", std::string(to_text(CertificateState::Valid))},
                                               {"now", base::to_epoch(living.now)},
                                               {"limit", number(static_cast<std::size_t>(living.most))}}));
  return static_cast<int>(out.rows.size());
}

Result<std::optional<CertificateRecord>> Store::by_idempotency_key(const std::string& key) {
  using Found = std::optional<CertificateRecord>;
  return transact(*driver_, Access::Read, [&]() -> Result<Found> {
    PKI_TRY(const auto out, run("idempotency_get", {{"kind", kIdempotencyKind}, {"key", key}}));
    if (out.rows.empty()) return Found();
    Row row(out, 0);
    PKI_TRY(const auto serial, row.serial("serial"));
    PKI_TRY(auto record, certificate_row(serial, row.text("ca")));
    PKI_TRY_VOID(add_bytes(record));
    return Found(std::move(record));
  });
}

}  // namespace chancery::store
