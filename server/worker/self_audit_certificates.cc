#include <algorithm>

#include "server/signer/client.h"
#include "server/worker/issue.h"
#include "server/worker/reconcile.h"
#include "server/worker/self_audit.h"
#include "server/x509/lint.h"

/// Each certificate of the store by itself.
namespace chancery::worker {
namespace {

constexpr std::size_t kPage = 200;

bool is_of_another_program(const store::CertificateRecord& record) { return record.rule == signer::kImportedRule; }
bool is_of_a_ca(const store::CertificateRecord& record) {
  return record.rule == store::kRolloverRule || record.rule == kRootRule;
}

/// The row says what the certificate says.
std::string difference(const store::CertificateRecord& record, const x509::Certificate& certificate) {
  const auto told = to_stored(certificate, record.ca, record.profile, record.issued_at);
  if (certificate.serial() != record.serial) return "the certificate has serial " + certificate.serial().hex();
  if (told.subject != record.subject) return "the certificate's subject is " + told.subject + ", the row's " + record.subject;
  if (told.cn != record.cn && !is_of_a_ca(record) && record.rule != signer::kServiceRule)
    return "the certificate's common name is not the row's";
  if (told.not_before != record.not_before || told.not_after != record.not_after)
    return "the certificate is valid at other times than the row says";
  return told.sans == record.sans ? "" : "the certificate's names are not the row's";
}

/// By the rules that hold whatever the profile: that may have changed since.
Status lint(const x509::Certificate& certificate, const realm::Authority& authority) {
  x509::LintContext context{.issuer = authority.certificate,
                            .above = authority.above,
                            .max_validity = certificate.not_after() - certificate.not_before() + std::chrono::seconds(1),
                            .key_usage = certificate.key_usage(),
                            .extended_key_usage = certificate.extended_key_usage(),
                            .is_ca = certificate.is_ca(),
                            .path_length = certificate.path_length(),
                            .ocsp_no_check = x509::find_extension(certificate.extensions(), x509::kOcspNoCheck) != nullptr};
  const auto tbs = certificate.tbs();
  const auto linted = x509::lint_certificate(Bytes(tbs.begin(), tbs.end()), certificate.algorithm(), context);
  return linted.ok() ? Status() : Status(linted.error());
}

std::string state_fault(const store::CertificateRecord& record) {
  const bool is_valid = record.state == store::CertificateState::Valid;
  if (is_valid && record.revoked_at) return "it is valid, and was revoked at " + base::to_rfc3339(*record.revoked_at);
  return is_valid || record.revoked_at ? "" : "it is " + std::string(store::to_text(record.state)) + " since no time";
}

void look_at(AuditStep& step, const std::vector<realm::Generation>& generations, const store::CertificateRecord& record) {
  const auto& serial = record.serial.hex();
  if (const auto fault = state_fault(record); !fault.empty()) step.found(serial, fault);
  const auto* generation = realm::find(generations, record.ca);
  if (generation == nullptr || !generation->authority)
    return step.found(serial, "it is of CA " + record.ca + ", which the realm has not");
  if (is_of_another_program(record)) return;  // in whatever form that wrote it, or nobody kept it
  if (record.der.empty()) return step.found(serial, "its DER is missing");
  const auto certificate = x509::Certificate::from_der(record.der);
  if (!certificate.ok()) return step.found(serial, "it cannot be read: " + certificate.error().message());
  if (const auto fault = difference(record, *certificate); !fault.empty()) step.found(serial, fault);
  const auto own = certificate->verify_signed_by(generation->authority->certificate);
  if (!own.ok()) return step.found(serial, "it is not signed by CA " + record.ca + ": " + own.error().message());
  if (is_of_a_ca(record)) return;
  if (const auto linted = lint(*certificate, *generation->authority); !linted.ok()) step.found(serial, linted.error().message());
}

/// What the store has and the journal never signed.
Status look_for_unknown(AuditStep& step, const std::vector<store::CertificateRecord>& records) {
  std::vector<Serial> serials;
  for (const auto& one : records) serials.push_back(one.serial);
  PKI_TRY(auto* signer, step.session().signer());
  PKI_TRY(const auto unknown, signer->unknown_serials(serials));
  for (const auto& serial : unknown) step.found(serial.hex(), "the journal has signed no such certificate");
  return {};
}

struct Cursor {
  std::string serial, ca;
};
Cursor cursor_from(const std::string& text) {
  const auto dot = text.find('.');
  return dot == std::string::npos ? Cursor{} : Cursor{text.substr(0, dot), text.substr(dot + 1)};
}

}  // namespace

Result<std::string> audit_certificates(AuditStep& step, const std::string& cursor) {
  PKI_TRY(const auto* generations, step.session().generations());
  const auto from = cursor_from(cursor.empty() ? step.certificates_behind() : cursor);
  PKI_TRY(const auto records, step.store().stored_certificates(from.serial, from.ca, kPage));
  if (records.empty()) return std::string();
  auto before = from.serial;
  for (const auto& record : records) {
    if (record.serial.hex() == before) step.found(before, "two certificates have that serial, one of them of CA " + record.ca);
    before = record.serial.hex();
    look_at(step, *generations, record);
  }
  PKI_TRY_VOID(look_for_unknown(step, records));
  step.count(records.size());
  return records.back().serial.hex() + "." + records.back().ca;
}

}  // namespace chancery::worker
