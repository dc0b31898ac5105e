#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;
using std::chrono::days;

Verdict openssl_reads_it(const View& v) {
  return unless((X509_get_extension_flags(v.openssl) & EXFLAG_INVALID) == 0, "OpenSSL finds an extension invalid");
}

Verdict der_canonical(const View& v) {
  return unless(std::ranges::equal(encoded_again(i2d_re_X509_tbs, v.openssl), v.certificate.tbs()),
                "encoded again it is not the same octets");
}

Verdict version_three(const View& v) { return unless(X509_get_version(v.openssl) == X509_VERSION_3, "version is not 3"); }

Verdict serial_positive(const View& v) {
  const auto* serial = X509_get0_serialNumber(v.openssl);
  return unless(ASN1_STRING_type(serial) == V_ASN1_INTEGER && ASN1_STRING_length(serial) > 0, "serial is negative or zero");
}

Verdict serial_octets(const View& v) {
  const auto octets = v.certificate.serial().octets();
  const auto encoded = octets.size() + (octets.front() >= 0x80 ? 1 : 0);
  return unless(encoded <= base::kMaxSerialOctets, "serial has more than 20 octets");
}

Verdict serial_long_enough(const View& v) {
  constexpr std::size_t kMinOctets = 8;
  return unless(v.certificate.serial().octets().size() >= kMinOctets, "serial has less than 64 bits");
}

Verdict algorithm_agrees(const View& v) {
  return unless(v.certificate.algorithm() == v.algorithm, "signature algorithm is not the one that will sign");
}

Verdict issuer_byte_equal(const View& v) {
  const auto wanted = v.context.issuer ? v.context.issuer->subject_der() : v.certificate.subject_der();
  return unless(std::ranges::equal(v.certificate.issuer_der(), wanted), "issuer is not octet for octet the CA's subject");
}

Verdict issuer_not_empty(const View& v) { return unless(!v.certificate.issuer().empty(), "issuer is empty"); }

Verdict issuer_is_ca(const View& v) {
  return unless(!v.context.issuer || may(*v.context.issuer, "keyCertSign"), "issuer may not sign certificates");
}

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

/// String types by the table of attribute types (PROMISES C16, I8). A self-signed issuer is the subject.
Verdict subject_string_types(const View& v) {
  const auto again = v.certificate.subject().der();
  return unless(again.ok() && std::ranges::equal(*again, v.certificate.subject_der()),
                "the subject's string types are not those of the table");
}

Verdict subject_or_names(const View& v) {
  return unless(!v.certificate.subject().empty() || !v.certificate.sans().empty(), "neither subject nor alternative names");
}

Verdict ca_has_subject(const View& v) {
  return unless(!v.certificate.is_ca() || !v.certificate.subject().empty(), "CA without a subject");
}

/// A CA's certificate for its next key is self-issued (RFC 5280 3.2); nothing else may bear the CA's name.
Verdict subject_is_not_issuer(const View& v) {
  if (v.certificate.is_ca()) return kPass;
  const bool is_same = std::ranges::equal(v.certificate.subject_der(), v.certificate.issuer_der());
  return unless(!v.context.issuer || !is_same, "the subject is the CA's, and this is no CA");
}

Verdict key_strong(const View& v) {
  const auto good = crypto::check_public_key(v.certificate.public_key());
  return good.ok() ? kPass : good.error().message();
}

Verdict key_is_not_issuers(const View& v) {
  return unless(!v.context.issuer || !(v.context.issuer->public_key() == v.certificate.public_key()),
                "the key is the issuer's own");
}

constexpr std::array kRules{
    Rule<View>{{"openssl_reads_it", "RFC 5280 4.2"}, openssl_reads_it},
    Rule<View>{{"der_canonical", "RFC 5280 4.1, PROMISES C16"}, der_canonical},
    Rule<View>{{"version_three", "RFC 5280 4.1.2.1"}, version_three},
    Rule<View>{{"serial_positive", "RFC 5280 4.1.2.2"}, serial_positive},
    Rule<View>{{"serial_octets", "RFC 5280 4.1.2.2"}, serial_octets},
    Rule<View>{{"serial_long_enough", "CABF BR 7.1, PROMISES B1"}, serial_long_enough},
    Rule<View>{{"algorithm_agrees", "RFC 5280 4.1.1.2"}, algorithm_agrees},
    Rule<View>{{"issuer_byte_equal", "RFC 5280 4.1.2.4, PROMISES B8"}, issuer_byte_equal},
    Rule<View>{{"issuer_not_empty", "RFC 5280 4.1.2.4"}, issuer_not_empty},
    Rule<View>{{"issuer_is_ca", "RFC 5280 4.2.1.3, 6.1.4"}, issuer_is_ca},
    Rule<View>{{"validity_ordered", "RFC 5280 4.1.2.5"}, validity_ordered},
    Rule<View>{{"validity_within_profile", "PROMISES C11"}, validity_within_profile},
    Rule<View>{{"validity_within_baseline", "CABF BR 6.3.2, PROMISES B6", Severity::Warning}, validity_within_baseline},
    Rule<View>{{"within_issuer", "PROMISES C11"}, within_issuer},
    Rule<View>{{"time_forms", "RFC 5280 4.1.2.5"}, time_forms},
    Rule<View>{{"subject_string_types", "RFC 5280 4.1.2.6, PROMISES C16"}, subject_string_types},
    Rule<View>{{"subject_or_names", "RFC 5280 4.1.2.6"}, subject_or_names},
    Rule<View>{{"ca_has_subject", "RFC 5280 4.1.2.6"}, ca_has_subject},
    Rule<View>{{"subject_is_not_issuer", "RFC 5280 6.1"}, subject_is_not_issuer},
    Rule<View>{{"key_strong", "CABF BR 6.1.5, 6.1.6, PROMISES C13"}, key_strong},
    Rule<View>{{"key_is_not_issuers", "PROMISES B8"}, key_is_not_issuers},
};

}  // namespace

std::span<const Rule<CertificateView>> field_rules() { return kRules; }

}  // namespace chancery::x509
