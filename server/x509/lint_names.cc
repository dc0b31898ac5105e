#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

Verdict issuer_byte_equal(const View& v) {
  const auto wanted = v.context.issuer ? v.context.issuer->subject_der() : v.certificate.subject_der();
  return unless(std::ranges::equal(v.certificate.issuer_der(), wanted), "issuer is not octet for octet the CA's subject");
}

Verdict issuer_not_empty(const View& v) { return unless(!v.certificate.issuer().empty(), "issuer is empty"); }

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

constexpr std::array kRules{
    Rule<View>{{"issuer_byte_equal", "RFC 5280 4.1.2.4, PROMISES B8"}, issuer_byte_equal},
    Rule<View>{{"issuer_not_empty", "RFC 5280 4.1.2.4"}, issuer_not_empty},
    Rule<View>{{"subject_string_types", "RFC 5280 4.1.2.6, PROMISES C16"}, subject_string_types},
    Rule<View>{{"subject_or_names", "RFC 5280 4.1.2.6"}, subject_or_names},
    Rule<View>{{"ca_has_subject", "RFC 5280 4.1.2.6"}, ca_has_subject},
    Rule<View>{{"subject_is_not_issuer", "RFC 5280 6.1"}, subject_is_not_issuer},
};

}  // namespace

std::span<const Rule<CertificateView>> name_rules() { return kRules; }

}  // namespace chancery::x509
