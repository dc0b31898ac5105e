#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CrlView;

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

constexpr std::array kRules{
    Rule<View>{{"crl_issuer_byte_equal", "RFC 5280 5.1.2.3, PROMISES B9"}, issuer_byte_equal},
    Rule<View>{{"crl_issuer_signs_crls", "RFC 5280 4.2.1.3"}, issuer_signs_crls},
    Rule<View>{{"crl_updates_ordered", "RFC 5280 5.1.2.5, PROMISES I14"}, updates_ordered},
    Rule<View>{{"crl_updates_near", "CABF BR 7.2, PROMISES B9", Severity::Warning}, updates_near},
    Rule<View>{{"crl_update_within_issuer", "RFC 5280 6.3.3"}, update_within_issuer},
    Rule<View>{{"crl_time_forms", "RFC 5280 5.1.2.4"}, time_forms},
    Rule<View>{{"crl_authority_key_id_of_issuer", "RFC 5280 5.2.1"}, authority_key_id_of_issuer},
    Rule<View>{{"crl_number_positive", "RFC 5280 5.2.3"}, number_positive},
};

}  // namespace

std::span<const Rule<CrlView>> crl_field_rules() { return kRules; }

}  // namespace chancery::x509
