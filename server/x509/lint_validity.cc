#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;
using std::chrono::days;

Verdict validity_ordered(const View& v) {
  return unless(v.certificate.not_before() <= v.certificate.not_after(), "not_after is before not_before");
}

/// Both ends count (RFC 5280 4.1.2.5).
std::chrono::seconds validity_of(const View& v) {
  return v.certificate.not_after() - v.certificate.not_before() + std::chrono::seconds{1};
}

Verdict validity_within_profile(const View& v) {
  return unless(validity_of(v) <= v.context.max_validity, "valid for longer than the profile allows");
}

/// SC-081: the day from which on a maximum holds.
struct Maximum {
  std::string_view from;
  days validity;
};
constexpr std::array kMaxima{
    Maximum{"2029-03-15", days{47}},
    Maximum{"2027-03-15", days{100}},
    Maximum{"2026-03-15", days{200}},
    Maximum{"", days{398}},
};

Verdict validity_within_baseline(const View& v) {
  if (v.certificate.is_ca() || !has_word(v.certificate.extended_key_usage(), "serverAuth")) return kPass;
  const auto start = base::to_rfc3339(v.certificate.not_before());
  const auto row = std::ranges::find_if(kMaxima, [&](const Maximum& maximum) { return start >= maximum.from; });
  return unless(validity_of(v) <= row->validity, "valid for more than " + std::to_string(row->validity.count()) + " days");
}

Verdict within_issuer(const View& v) {
  return unless(!v.context.issuer || v.certificate.not_after() <= v.context.issuer->not_after(), "outlives its issuer");
}

Verdict time_forms(const View& v) {
  const bool holds = has_right_form(X509_get0_notBefore(v.openssl), v.certificate.not_before()) &&
                     has_right_form(X509_get0_notAfter(v.openssl), v.certificate.not_after());
  return unless(holds, "UTCTime and GeneralizedTime do not change at 2050");
}

constexpr std::array kRules{
    Rule<View>{{"validity_ordered", "RFC 5280 4.1.2.5"}, validity_ordered},
    Rule<View>{{"validity_within_profile", "PROMISES C11"}, validity_within_profile},
    Rule<View>{{"validity_within_baseline", "CABF BR 6.3.2, PROMISES B6", Severity::Warning}, validity_within_baseline},
    Rule<View>{{"within_issuer", "PROMISES C11"}, within_issuer},
    Rule<View>{{"time_forms", "RFC 5280 4.1.2.5"}, time_forms},
};

}  // namespace

std::span<const Rule<CertificateView>> validity_rules() { return kRules; }

}  // namespace chancery::x509
