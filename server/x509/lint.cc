#include "server/x509/lint.h"

#include <array>

#include "server/x509/lint_rules.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {
namespace {

std::array<std::span<const Rule<CertificateView>>, 8> certificate_tables() {
  return {name_rules(),  validity_rules(),         key_rules(),     extension_rules(), constraint_rules(),
          usage_rules(), alternative_name_rules(), location_rules()};
}

/// The findings, up to the first reader that leaves the other rules without ground.
std::vector<Finding> findings_in(ByteView tbs, crypto::SignatureAlgorithm algorithm, const LintContext& context) {
  const auto der = with_throwaway_signature(tbs, algorithm);
  if (!der.ok()) return {{kChanceryReadsIt, der.error().message()}};
  const auto openssl = read_certificate_by_openssl(*der);
  if (!openssl) return {{kOpensslReadsIt, "OpenSSL does not read it"}};
  std::vector<Finding> findings;
  if ((X509_get_extension_flags(openssl.get()) & EXFLAG_INVALID) != 0) {
    findings.push_back({kOpensslReadsIt, "OpenSSL finds an extension invalid"});
  }
  ERR_clear_error();
  apply(certificate_encoding_rules(), {openssl.get(), tbs, algorithm}, findings);
  const auto certificate = Certificate::from_der(*der);
  if (!certificate.ok()) findings.push_back({kChanceryReadsIt, certificate.error().message()});
  if (!certificate.ok()) return findings;
  const CertificateView view{*certificate, openssl.get(), context};
  for (const auto table : certificate_tables()) apply(table, view, findings);
  return findings;
}

}  // namespace

std::string to_text(const Finding& finding) {
  return std::string(finding.rule.id) + ": " + finding.message + " (" + std::string(finding.rule.source) + ")";
}

const std::vector<RuleRow>& certificate_rules() {
  static const auto kRows = [] {
    std::vector<RuleRow> rows{kOpensslReadsIt, kChanceryReadsIt};
    append_rows(certificate_encoding_rules(), rows);
    for (const auto table : certificate_tables()) append_rows(table, rows);
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
  PKI_TRY(auto warnings, only_warnings(findings_in(tbs, algorithm, context), "certificate"));
  return LintedTbs(std::move(tbs), algorithm, std::move(warnings));
}

}  // namespace chancery::x509
