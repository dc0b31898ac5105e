#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

Verdict issuer_is_ca(const View& v) {
  return unless(!v.context.issuer || may(*v.context.issuer, "keyCertSign"), "issuer may not sign certificates");
}

Verdict basic_constraints_critical(const View& v) {
  return unless(v.is_critical(kBasicConstraints), "basic constraints are absent or not critical");
}

Verdict ca_as_profile(const View& v) { return unless(v.certificate.is_ca() == v.context.is_ca, "CA flag is not the profile's"); }

Verdict path_length_as_profile(const View& v) {
  return unless(v.certificate.path_length() == v.context.path_length, "path length is not the profile's");
}

Verdict path_length_only_for_ca(const View& v) {
  return unless(v.certificate.is_ca() || !v.certificate.path_length(), "path length without CA flag");
}

Verdict path_length_below_issuer(const View& v) {
  if (!v.context.issuer || !v.certificate.is_ca() || !v.context.issuer->path_length()) return kPass;
  const int above = *v.context.issuer->path_length();
  // A certificate that a CA gives itself, for another of its keys, takes no place in the path.
  if (std::ranges::equal(v.certificate.subject_der(), v.certificate.issuer_der()))
    return unless(v.certificate.path_length().value_or(above + 1) <= above, "path length is above the issuer's");
  return unless(above > 0 && v.certificate.path_length().value_or(above) < above, "path length is not below the issuer's");
}

constexpr std::array kRules{
    Rule<View>{{"issuer_is_ca", "RFC 5280 4.2.1.3, 6.1.4"}, issuer_is_ca},
    Rule<View>{{"basic_constraints_critical", "RFC 5280 4.2.1.9"}, basic_constraints_critical},
    Rule<View>{{"ca_as_profile", "RFC 5280 4.2.1.9, PROMISES C15"}, ca_as_profile},
    Rule<View>{{"path_length_as_profile", "RFC 5280 4.2.1.9"}, path_length_as_profile},
    Rule<View>{{"path_length_only_for_ca", "RFC 5280 4.2.1.9"}, path_length_only_for_ca},
    Rule<View>{{"path_length_below_issuer", "RFC 5280 6.1.4"}, path_length_below_issuer},
};

}  // namespace

std::span<const Rule<CertificateView>> constraint_rules() { return kRules; }

}  // namespace chancery::x509
