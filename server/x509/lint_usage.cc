#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

Verdict key_usage_as_profile(const View& v) {
  const auto kind = v.certificate.public_key().spec().kind;
  const auto& have = v.certificate.key_usage();
  const bool holds =
      same_words(have, v.context.key_usage) || (!have.empty() && same_words(have, key_usage_for(kind, v.context.key_usage)));
  return unless(holds, "key usage is not the profile's");
}

Verdict key_usage_critical(const View& v) {
  return unless(v.find(kKeyUsage) == nullptr || v.is_critical(kKeyUsage), "key usage is not critical");
}

Verdict key_usage_fits_key(const View& v) {
  const auto& have = v.certificate.key_usage();
  return unless(key_usage_for(v.certificate.public_key().spec().kind, have) == have,
                "a key usage that this kind of key cannot have");
}

Verdict key_cert_sign_only_for_ca(const View& v) {
  return unless(has_word(v.certificate.key_usage(), "keyCertSign") == v.certificate.is_ca(),
                "keyCertSign and CA flag do not go together");
}

Verdict extended_key_usage_as_profile(const View& v) {
  return unless(same_words(v.certificate.extended_key_usage(), v.context.extended_key_usage),
                "extended key usage is not the profile's");
}

/// A purpose and the usages of which it takes one (RFC 5280 4.2.1.12).
struct Purpose {
  std::string_view name;
  std::array<std::string_view, 4> usages;
};
constexpr std::array kPurposes{
    Purpose{"serverAuth", {"digitalSignature", "keyEncipherment", "keyAgreement"}},
    Purpose{"clientAuth", {"digitalSignature", "keyAgreement"}},
    Purpose{"codeSigning", {"digitalSignature"}},
    Purpose{"emailProtection", {"digitalSignature", "nonRepudiation", "keyEncipherment", "keyAgreement"}},
    Purpose{"timeStamping", {"digitalSignature", "nonRepudiation"}},
    Purpose{"OCSPSigning", {"digitalSignature", "nonRepudiation"}},
};

/// With both extensions a purpose counts only where both agree.
Verdict key_usage_fits_purposes(const View& v) {
  const auto& usages = v.certificate.key_usage();
  if (usages.empty()) return kPass;
  for (const auto& purpose : v.certificate.extended_key_usage()) {
    const auto row = std::ranges::find(kPurposes, purpose, &Purpose::name);
    const bool fits =
        row == kPurposes.end() || std::ranges::any_of(row->usages, [&](auto usage) { return has_word(usages, usage); });
    if (!fits) return purpose + " is of no use with this key usage";
  }
  return kPass;
}

/// anyExtendedKeyUsage beside others takes back what they say.
Verdict no_any_purpose(const View& v) {
  return unless(!has_word(v.certificate.extended_key_usage(), "2.5.29.37.0"), "any extended key usage is allowed");
}

constexpr std::array kRules{
    Rule<View>{{"key_usage_as_profile", "RFC 5280 4.2.1.3, PROMISES C15"}, key_usage_as_profile},
    Rule<View>{{"key_usage_critical", "RFC 5280 4.2.1.3"}, key_usage_critical},
    Rule<View>{{"key_usage_fits_key", "RFC 4055 1.2, RFC 8813 3, RFC 8410 5"}, key_usage_fits_key},
    Rule<View>{{"key_cert_sign_only_for_ca", "RFC 5280 4.2.1.3, 4.2.1.9"}, key_cert_sign_only_for_ca},
    Rule<View>{{"extended_key_usage_as_profile", "RFC 5280 4.2.1.12, PROMISES C15"}, extended_key_usage_as_profile},
    Rule<View>{{"key_usage_fits_purposes", "RFC 5280 4.2.1.12"}, key_usage_fits_purposes},
    Rule<View>{{"no_any_purpose", "CABF BR 7.1.2.7.10", Severity::Warning}, no_any_purpose},
};

}  // namespace

std::span<const Rule<CertificateView>> usage_rules() { return kRules; }

}  // namespace chancery::x509
