#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

constexpr std::array kKnown{kBasicConstraints, kKeyUsage,       kExtendedKeyUsage,      kSubjectKeyId,
                            kAuthorityKeyId,   kSubjectAltName, kCrlDistributionPoints, kAuthorityInfoAccess,
                            kFreshestCrl,      kOcspNoCheck};
constexpr std::array kMayBeCritical{kBasicConstraints, kKeyUsage, kSubjectAltName};

Verdict extension_known(const View& v) {
  const auto is_odd = [](const Extension& e) { return std::ranges::find(kKnown, e.oid) == kKnown.end(); };
  return unless(std::ranges::none_of(v.certificate.extensions(), is_odd), "an extension outside the table");
}

Verdict extension_criticality(const View& v) {
  const auto is_odd = [](const Extension& e) {
    return e.critical && std::ranges::find(kMayBeCritical, e.oid) == kMayBeCritical.end();
  };
  return unless(std::ranges::none_of(v.certificate.extensions(), is_odd), "an extension is critical that should not be");
}

/// Its value is NULL, and whoever has it is an OCSP responder.
Verdict ocsp_no_check_as_profile(const View& v) {
  const auto* const found = v.find(kOcspNoCheck);
  if ((found != nullptr) != v.context.ocsp_no_check) return "ocsp-nocheck is not as the profile says";
  if (found == nullptr) return kPass;
  constexpr std::array<std::uint8_t, 2> kNull{0x05, 0x00};
  if (!std::ranges::equal(found->value, kNull)) return "ocsp-nocheck is not NULL";
  return unless(has_word(v.certificate.extended_key_usage(), "OCSPSigning"), "ocsp-nocheck, and it is no OCSP responder's");
}

constexpr std::array kRules{
    Rule<View>{{"extension_known", "CABF BR 7.1.2, PROMISES C15"}, extension_known},
    Rule<View>{{"extension_criticality", "RFC 5280 4.2.1, 4.2.2"}, extension_criticality},
    Rule<View>{{"ocsp_no_check_as_profile", "RFC 6960 4.2.2.2.1"}, ocsp_no_check_as_profile},
};

}  // namespace

std::span<const Rule<CertificateView>> extension_rules() { return kRules; }

}  // namespace chancery::x509
