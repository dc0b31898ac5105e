#include "server/x509/lint.h"
#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

/// The findings, up to the first reader or table that leaves the others without ground.
std::vector<Finding> findings_in(ByteView tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer) {
  const auto der = with_throwaway_signature(tbs, algorithm);
  if (!der.ok()) return {{kChanceryReadsCrl, der.error().message()}};
  const auto openssl = read_by_openssl<crypto::X509CrlPtr>(d2i_X509_CRL, *der);
  if (!openssl) return {{kOpensslReadsCrl, "OpenSSL does not read it"}};
  std::vector<Finding> findings;
  apply(crl_encoding_rules(), {openssl.get(), tbs, algorithm}, findings);
  const auto crl = Crl::from_der(*der);
  if (!crl.ok()) findings.push_back({kChanceryReadsCrl, crl.error().message()});
  if (!crl.ok()) return findings;
  const CrlView view{*crl, openssl.get(), issuer};
  apply(crl_field_rules(), view, findings);
  apply(crl_entry_rules(), view, findings);
  apply(delta_crl_rules(), view, findings);
  return findings;
}

}  // namespace

const std::vector<RuleRow>& crl_rules() {
  static const auto kRows = [] {
    std::vector<RuleRow> rows{kOpensslReadsCrl, kChanceryReadsCrl};
    append_rows(crl_encoding_rules(), rows);
    append_rows(crl_field_rules(), rows);
    append_rows(crl_entry_rules(), rows);
    append_rows(delta_crl_rules(), rows);
    return rows;
  }();
  return kRows;
}

Result<LintedCrl> lint_crl(Bytes tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer) {
  PKI_TRY(auto warnings, only_warnings(findings_in(tbs, algorithm, issuer), "CRL"));
  return LintedCrl(std::move(tbs), algorithm, std::move(warnings));
}

}  // namespace chancery::x509
