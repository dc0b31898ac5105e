#include <array>

#include "server/crypto/signature.h"
#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateEncoding;

Verdict der_canonical(const View& v) {
  return unless(std::ranges::equal(encoded_again(i2d_re_X509_tbs, v.openssl), v.tbs), "encoded again it is not the same octets");
}

Verdict version_three(const View& v) { return unless(X509_get_version(v.openssl) == X509_VERSION_3, "version is not 3"); }

Verdict serial_positive(const View& v) {
  const auto* serial = X509_get0_serialNumber(v.openssl);
  const crypto::BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  return unless(ASN1_STRING_type(serial) == V_ASN1_INTEGER && number && !BN_is_zero(number.get()), "serial is negative or zero");
}

/// Below 2^159, so that the sign bit leaves it at 20 octets.
Verdict serial_octets(const View& v) {
  constexpr int kMaxBits = 8 * static_cast<int>(base::kMaxSerialOctets) - 1;
  const crypto::BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(v.openssl), nullptr));
  return unless(number && BN_num_bits(number.get()) <= kMaxBits, "serial has more than 20 octets");
}

Verdict signature_sha2(const View& v) {
  return unless(is_sha2(OBJ_obj2nid(X509_get0_tbs_sigalg(v.openssl)->algorithm)), "signature digest is not of the SHA-2 family");
}

Verdict algorithm_agrees(const View& v) {
  return unless(encoded_again(i2d_X509_ALGOR, X509_get0_tbs_sigalg(v.openssl)) == crypto::algorithm_identifier(v.algorithm),
                "signature algorithm is not the one that will sign");
}

Verdict extension_once(const View& v) {
  return unless(!has_extension_twice<X509>(v.openssl, X509_get_ext_count, X509_get_ext, X509_get_ext_by_OBJ),
                "an extension stands twice");
}

constexpr std::array kRules{
    Rule<View>{{"der_canonical", "RFC 5280 4.1, PROMISES C16"}, der_canonical},
    Rule<View>{{"version_three", "RFC 5280 4.1.2.1"}, version_three},
    Rule<View>{{"serial_positive", "RFC 5280 4.1.2.2"}, serial_positive},
    Rule<View>{{"serial_octets", "RFC 5280 4.1.2.2"}, serial_octets},
    Rule<View>{{"signature_sha2", "CABF BR 7.1.3.2, PROMISES B5"}, signature_sha2},
    Rule<View>{{"algorithm_agrees", "RFC 5280 4.1.1.2"}, algorithm_agrees},
    Rule<View>{{"extension_once", "RFC 5280 4.2"}, extension_once},
};

}  // namespace

std::span<const Rule<CertificateEncoding>> certificate_encoding_rules() { return kRules; }

}  // namespace chancery::x509
