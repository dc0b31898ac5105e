#include <array>

#include "server/x509/lint_rules.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

Verdict serial_long_enough(const View& v) {
  constexpr std::size_t kMinOctets = 8;
  return unless(v.certificate.serial().octets().size() >= kMinOctets, "serial has less than 64 bits");
}

Verdict key_strong(const View& v) {
  const auto good = crypto::check_public_key(v.certificate.public_key());
  return good.ok() ? kPass : good.error().message();
}

Verdict key_is_not_issuers(const View& v) {
  return unless(!v.context.issuer || !(v.context.issuer->public_key() == v.certificate.public_key()),
                "the key is the issuer's own");
}

Verdict subject_key_id_of_key(const View& v) {
  const auto& kept = v.context.subject_key_id;
  const auto wanted = kept.empty() ? subject_key_id_of(v.certificate.public_key().spki()) : Result<Bytes>(kept);
  return unless(wanted.ok() && std::ranges::equal(*wanted, v.certificate.subject_key_id()),
                "subject key identifier is not this key's");
}

Verdict authority_key_id_of_issuer(const View& v) {
  const auto wanted = v.context.issuer ? v.context.issuer->key_id() : v.certificate.key_id();
  return unless(std::ranges::equal(wanted, v.certificate.authority_key_id()), "authority key identifier is not the CA's");
}

constexpr std::array kRules{
    Rule<View>{{"serial_long_enough", "CABF BR 7.1, PROMISES B1"}, serial_long_enough},
    Rule<View>{{"key_strong", "CABF BR 6.1.5, 6.1.6, PROMISES C13"}, key_strong},
    Rule<View>{{"key_is_not_issuers", "PROMISES B8"}, key_is_not_issuers},
    Rule<View>{{"subject_key_id_of_key", "RFC 5280 4.2.1.2, RFC 7093 2"}, subject_key_id_of_key},
    Rule<View>{{"authority_key_id_of_issuer", "RFC 5280 4.2.1.1"}, authority_key_id_of_issuer},
};

}  // namespace

std::span<const Rule<CertificateView>> key_rules() { return kRules; }

}  // namespace chancery::x509
