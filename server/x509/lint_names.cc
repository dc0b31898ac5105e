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

/// By OpenSSL's reader of the extension, which shares nothing with ours. A common name counts as OpenSSL's verifier counts it.
Verdict broken_constraint(const View& v, const Certificate& ca) {
  const auto issuer = read_certificate_by_openssl(ca.der());
  int critical = -1;
  const crypto::NameConstraintsPtr constraints(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(issuer.get(), NID_name_constraints, &critical, nullptr)));
  if (constraints == nullptr) return unless(critical == -1, "the name constraints of a CA above cannot be read");
  int outcome = NAME_CONSTRAINTS_check(v.openssl, constraints.get());
  const auto& sans = v.certificate.sans();
  const bool has_dns = std::ranges::find(sans, GeneralName::Type::Dns, &GeneralName::type) != sans.end();
  if (outcome == X509_V_OK && !v.certificate.is_ca() && !has_dns)
    outcome = NAME_CONSTRAINTS_check_CN(v.openssl, constraints.get());
  ERR_clear_error();
  if (outcome == X509_V_OK) return kPass;
  return std::string("a name breaks the constraints of ") + ca.subject().to_slash() + ": " +
         X509_verify_cert_error_string(outcome);
}

Verdict names_within_constraints(const View& v) {
  auto chain = v.context.above;
  if (v.context.issuer) chain.push_back(*v.context.issuer);
  for (const auto& ca : chain) {
    if (auto verdict = broken_constraint(v, ca); !verdict.empty()) return verdict;
  }
  return kPass;
}

constexpr std::array kRules{
    Rule<View>{{"issuer_byte_equal", "RFC 5280 4.1.2.4, PROMISES B8"}, issuer_byte_equal},
    Rule<View>{{"issuer_not_empty", "RFC 5280 4.1.2.4"}, issuer_not_empty},
    Rule<View>{{"subject_string_types", "RFC 5280 4.1.2.6, PROMISES C16"}, subject_string_types},
    Rule<View>{{"subject_or_names", "RFC 5280 4.1.2.6"}, subject_or_names},
    Rule<View>{{"ca_has_subject", "RFC 5280 4.1.2.6"}, ca_has_subject},
    Rule<View>{{"subject_is_not_issuer", "RFC 5280 6.1"}, subject_is_not_issuer},
    Rule<View>{{"names_within_constraints", "RFC 5280 4.2.1.10"}, names_within_constraints},
};

}  // namespace

std::span<const Rule<CertificateView>> name_rules() { return kRules; }

}  // namespace chancery::x509
