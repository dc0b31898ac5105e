#include <openssl/err.h>

#include <array>

#include "server/x509/lint.h"
#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

struct View {
  const Crl& crl;
  X509_CRL* openssl;
  crypto::SignatureAlgorithm algorithm;  ///< the one that will sign
  const Certificate& issuer;
};

Verdict der_canonical(const View& v) {
  return unless(std::ranges::equal(encoded_again(i2d_re_X509_CRL_tbs, v.openssl), v.crl.tbs()),
                "encoded again it is not the same octets");
}

Verdict version_two(const View& v) { return unless(X509_CRL_get_version(v.openssl) == X509_CRL_VERSION_2, "version is not 2"); }

Verdict algorithm_agrees(const View& v) {
  return unless(v.crl.algorithm() == v.algorithm, "signature algorithm is not the one that will sign");
}

Verdict issuer_byte_equal(const View& v) {
  return unless(std::ranges::equal(v.crl.issuer_der(), v.issuer.subject_der()), "issuer is not octet for octet the CA's subject");
}

Verdict issuer_signs_crls(const View& v) { return unless(may(v.issuer, "cRLSign"), "issuer may not sign CRLs"); }

Verdict updates_ordered(const View& v) {
  return unless(v.crl.this_update() < v.crl.next_update(), "next update is not after this update");
}

Verdict updates_near(const View& v) {
  constexpr std::chrono::days kMaxLife{10};
  return unless(v.crl.next_update() - v.crl.this_update() <= kMaxLife, "next update is more than 10 days ahead");
}

Verdict update_within_issuer(const View& v) {
  return unless(v.crl.this_update() >= v.issuer.not_before() && v.crl.this_update() <= v.issuer.not_after(),
                "this update is outside the issuer's validity");
}

Verdict time_forms(const View& v) {
  const bool holds = has_right_form(X509_CRL_get0_lastUpdate(v.openssl), v.crl.this_update()) &&
                     has_right_form(X509_CRL_get0_nextUpdate(v.openssl), v.crl.next_update());
  return unless(holds, "UTCTime and GeneralizedTime do not change at 2050");
}

Verdict authority_key_id_of_issuer(const View& v) {
  return unless(std::ranges::equal(v.issuer.key_id(), v.crl.authority_key_id()), "authority key identifier is not the CA's");
}

Verdict number_positive(const View& v) { return unless(v.crl.number() > 0, "CRL number is zero"); }

/// No delta, no indirect CRL, nothing critical: the two extensions that every full CRL has.
Verdict extensions_known(const View& v) {
  const auto stands_plain = [&](int nid) {
    const int at = X509_CRL_get_ext_by_NID(v.openssl, nid, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_CRL_get_ext(v.openssl, at)) == 0;
  };
  const bool holds =
      X509_CRL_get_ext_count(v.openssl) == 2 && stands_plain(NID_authority_key_identifier) && stands_plain(NID_crl_number);
  return unless(holds, "extensions are not an authority key identifier and a CRL number, neither critical");
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

bool has_reason(const View& v, int reason) {
  return std::ranges::any_of(v.crl.entries(), [reason](const RevokedEntry& entry) { return entry.reason == reason; });
}

Verdict no_removal(const View& v) {
  return unless(!has_reason(v, kReasonRemoveFromCrl), "removeFromCRL in a CRL that is no delta CRL");
}

Verdict no_hold(const View& v) { return unless(!has_reason(v, kReasonCertificateHold), "a certificate on hold"); }

constexpr std::array kRules{
    Rule<View>{{"crl_der_canonical", "RFC 5280 5.1, PROMISES C16"}, der_canonical},
    Rule<View>{{"crl_version_two", "RFC 5280 5.1.2.1, PROMISES B9"}, version_two},
    Rule<View>{{"crl_algorithm_agrees", "RFC 5280 5.1.1.2"}, algorithm_agrees},
    Rule<View>{{"crl_issuer_byte_equal", "RFC 5280 5.1.2.3, PROMISES B9"}, issuer_byte_equal},
    Rule<View>{{"crl_issuer_signs_crls", "RFC 5280 4.2.1.3"}, issuer_signs_crls},
    Rule<View>{{"crl_updates_ordered", "RFC 5280 5.1.2.5, PROMISES I14"}, updates_ordered},
    Rule<View>{{"crl_updates_near", "CABF BR 7.2, PROMISES B9", Severity::Warning}, updates_near},
    Rule<View>{{"crl_update_within_issuer", "RFC 5280 6.3.3"}, update_within_issuer},
    Rule<View>{{"crl_time_forms", "RFC 5280 5.1.2.4"}, time_forms},
    Rule<View>{{"crl_authority_key_id_of_issuer", "RFC 5280 5.2.1"}, authority_key_id_of_issuer},
    Rule<View>{{"crl_number_positive", "RFC 5280 5.2.3"}, number_positive},
    Rule<View>{{"crl_extensions_known", "RFC 5280 5.2, PROMISES B9"}, extensions_known},
    Rule<View>{{"crl_entries_not_ahead", "RFC 5280 5.1.2.6"}, entries_not_ahead},
    Rule<View>{{"crl_entries_unique", "RFC 5280 5.1.2.6"}, entries_unique},
    Rule<View>{{"crl_no_removal", "RFC 5280 5.3.1"}, no_removal},
    Rule<View>{{"crl_no_hold", "CABF BR 7.2.2, PROMISES B11", Severity::Warning}, no_hold},
};

Error failed(const Error& why) { return Error(Code::LintFailed, "CRL: " + why.message()); }

}  // namespace

const std::vector<RuleRow>& crl_rules() {
  static const auto kRows = [] {
    std::vector<RuleRow> rows;
    append_rows<View>(kRules, rows);
    return rows;
  }();
  return kRows;
}

Result<LintedCrl> lint_crl(Bytes tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer) {
  const auto der = with_throwaway_signature(tbs, algorithm);
  if (!der.ok()) return failed(der.error());
  const auto crl = Crl::from_der(*der);
  if (!crl.ok()) return failed(crl.error());
  const unsigned char* cursor = der->data();
  const crypto::X509CrlPtr openssl(d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der->size())));
  ERR_clear_error();
  if (!openssl || cursor != der->data() + der->size()) return Error(Code::LintFailed, "CRL: OpenSSL does not read it");
  std::vector<Finding> findings;
  apply<View>(kRules, View{*crl, openssl.get(), algorithm, issuer}, findings);
  PKI_TRY(auto warnings, only_warnings(std::move(findings), "CRL"));
  return LintedCrl(std::move(tbs), algorithm, std::move(warnings));
}

}  // namespace chancery::x509
