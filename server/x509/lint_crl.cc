#include <openssl/err.h>

#include <array>

#include "server/x509/lint.h"
#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

struct View {
  const Crl& crl;
  X509_CRL* openssl;
  crypto::SignatureAlgorithm algorithm;
  const Certificate& issuer;
};

Verdict unless(bool holds, std::string_view what) { return holds ? kPass : std::string(what); }

Verdict version_two(const View& v) { return unless(X509_CRL_get_version(v.openssl) == X509_CRL_VERSION_2, "version is not 2"); }
Verdict algorithm_agrees(const View& v) {
  return unless(v.crl.algorithm() == v.algorithm, "signature algorithm is not the one that will sign");
}
Verdict issuer_byte_equal(const View& v) {
  return unless(std::ranges::equal(v.crl.issuer_der(), v.issuer.subject_der()), "issuer is not octet for octet the CA's subject");
}
Verdict updates_ordered(const View& v) {
  return unless(v.crl.this_update() < v.crl.next_update(), "next update is not after this update");
}
Verdict authority_key_id_matches(const View& v) {
  const auto wanted = v.issuer.subject_key_id();
  return unless(!wanted.empty() && std::ranges::equal(wanted, v.crl.authority_key_id()),
                "authority key identifier is not the CA's");
}
Verdict number_positive(const View& v) { return unless(v.crl.number() > 0, "CRL number is zero"); }
Verdict issuer_signs_crls(const View& v) {
  return unless(v.issuer.is_ca() && has_word(v.issuer.key_usage(), "cRLSign"), "issuer may not sign CRLs");
}
Verdict entries_not_ahead(const View& v) {
  const auto is_ahead = [&](const RevokedEntry& entry) { return entry.revoked_at > v.crl.this_update(); };
  return unless(std::ranges::none_of(v.crl.entries(), is_ahead), "an entry is revoked after this update");
}
Verdict entries_unique(const View& v) {
  std::vector<std::string_view> serials;
  serials.reserve(v.crl.entries().size());
  for (const auto& entry : v.crl.entries()) serials.push_back(entry.serial.hex());
  std::ranges::sort(serials);
  return unless(std::ranges::adjacent_find(serials) == serials.end(), "a serial stands twice");
}
Verdict no_remove_in_full_crl(const View& v) {
  const auto is_removal = [](const RevokedEntry& entry) { return entry.reason == kReasonRemoveFromCrl; };
  return unless(std::ranges::none_of(v.crl.entries(), is_removal), "removeFromCRL in a full CRL");
}

struct Rule {
  RuleRow row;
  Verdict (*check)(const View&);
};
constexpr std::array kRules{
    Rule{{"crl_version_two", "RFC 5280 5.1.2.1"}, version_two},
    Rule{{"crl_algorithm_agrees", "RFC 5280 5.1.1.2"}, algorithm_agrees},
    Rule{{"crl_issuer_byte_equal", "RFC 5280 5.1.2.3"}, issuer_byte_equal},
    Rule{{"crl_updates_ordered", "RFC 5280 5.1.2.5"}, updates_ordered},
    Rule{{"crl_authority_key_id_matches", "RFC 5280 5.2.1"}, authority_key_id_matches},
    Rule{{"crl_number_positive", "RFC 5280 5.2.3"}, number_positive},
    Rule{{"crl_issuer_signs_crls", "RFC 5280 4.2.1.3"}, issuer_signs_crls},
    Rule{{"crl_entries_not_ahead", "RFC 5280 5.1.2.6"}, entries_not_ahead},
    Rule{{"crl_entries_unique", "RFC 5280 5.1.2.6"}, entries_unique},
    Rule{{"crl_no_remove", "RFC 5280 5.3.1"}, no_remove_in_full_crl},
};
constexpr auto kRows = [] {
  std::array<RuleRow, kRules.size()> rows{};
  std::ranges::transform(kRules, rows.begin(), &Rule::row);
  return rows;
}();

Error failed(std::string what) { return Error(Code::LintFailed, "CRL: " + std::move(what)); }

}  // namespace

std::span<const RuleRow> crl_rules() { return kRows; }

Result<LintedCrl> lint_crl(Bytes tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer) {
  const auto der = with_throwaway_signature(tbs, algorithm);
  if (!der.ok()) return failed(der.error().message());
  const auto crl = Crl::from_der(*der);
  if (!crl.ok()) return failed(crl.error().message());
  const unsigned char* cursor = der->data();
  const crypto::X509CrlPtr openssl(d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der->size())));
  ERR_clear_error();
  if (!openssl || cursor != der->data() + der->size()) return failed("OpenSSL does not read it");
  const View view{*crl, openssl.get(), algorithm, issuer};
  std::string findings;
  for (const auto& rule : kRules) {
    const auto verdict = rule.check(view);
    if (verdict.empty()) continue;
    findings +=
        (findings.empty() ? "" : "; ") + std::string(rule.row.id) + ": " + verdict + " (" + std::string(rule.row.source) + ")";
  }
  if (!findings.empty()) return failed(std::move(findings));
  return LintedCrl(std::move(tbs), algorithm);
}

}  // namespace chancery::x509
