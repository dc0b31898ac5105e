#include "server/x509/lint.h"

#include <openssl/err.h>

#include "server/x509/lint_rules.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {
namespace {

Error failed(const Error& why) { return Error(Code::LintFailed, "certificate: " + why.message()); }

}  // namespace

std::string to_text(const Finding& finding) {
  return std::string(finding.rule.id) + ": " + finding.message + " (" + std::string(finding.rule.source) + ")";
}

const std::vector<RuleRow>& certificate_rules() {
  static const auto kRows = [] {
    std::vector<RuleRow> rows;
    append_rows(field_rules(), rows);
    append_rows(extension_rules(), rows);
    return rows;
  }();
  return kRows;
}

Result<Bytes> with_throwaway_signature(ByteView tbs, crypto::SignatureAlgorithm algorithm) {
  constexpr std::size_t kOctets = 8;
  return assemble_signed(tbs, algorithm, Bytes(kOctets));
}

Result<std::vector<Finding>> only_warnings(std::vector<Finding> findings, std::string_view what) {
  std::string errors;
  for (const auto& finding : findings) {
    if (finding.rule.severity == Severity::Error) errors += (errors.empty() ? "" : "; ") + to_text(finding);
  }
  if (!errors.empty()) return Error(Code::LintFailed, std::string(what) + ": " + errors);
  return findings;
}

Result<LintedTbs> lint_certificate(Bytes tbs, crypto::SignatureAlgorithm algorithm, const LintContext& context) {
  const auto der = with_throwaway_signature(tbs, algorithm);
  if (!der.ok()) return failed(der.error());
  const auto certificate = Certificate::from_der(*der);
  if (!certificate.ok()) return failed(certificate.error());
  const unsigned char* cursor = der->data();
  const crypto::X509Ptr openssl(d2i_X509(nullptr, &cursor, static_cast<long>(der->size())));
  ERR_clear_error();
  if (!openssl || cursor != der->data() + der->size()) return Error(Code::LintFailed, "certificate: OpenSSL does not read it");
  const CertificateView view{*certificate, openssl.get(), algorithm, context};
  std::vector<Finding> findings;
  apply(field_rules(), view, findings);
  apply(extension_rules(), view, findings);
  PKI_TRY(auto warnings, only_warnings(std::move(findings), "certificate"));
  return LintedTbs(std::move(tbs), algorithm, std::move(warnings));
}

}  // namespace chancery::x509
