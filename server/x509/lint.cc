#include "server/x509/lint.h"

#include <openssl/err.h>

#include <array>

#include "server/crypto/digest.h"
#include "server/x509/extension.h"
#include "server/x509/lint_rules.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {
namespace {

/// What a rule looks at: the octets as our reader and as OpenSSL's read them.
struct View {
  const Certificate& certificate;
  X509* openssl;
  crypto::SignatureAlgorithm algorithm;
  const LintContext& context;

  const Extension* find(std::string_view oid) const { return find_extension(certificate.extensions(), oid); }
  bool is_critical(std::string_view oid) const { return find(oid) != nullptr && find(oid)->critical; }
};

Verdict unless(bool holds, std::string_view what) { return holds ? kPass : std::string(what); }

Verdict openssl_reads_it(const View& v) {
  return unless((X509_get_extension_flags(v.openssl) & EXFLAG_INVALID) == 0, "OpenSSL finds an extension invalid");
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
Verdict validity_ordered(const View& v) {
  return unless(v.certificate.not_before() <= v.certificate.not_after(), "not_after is before not_before");
}
Verdict validity_within_profile(const View& v) {
  const auto span = v.certificate.not_after() - v.certificate.not_before() + std::chrono::seconds{1};  // both ends count
  return unless(span <= v.context.max_validity, "valid for longer than the profile allows");
}
Verdict within_issuer(const View& v) {
  return unless(!v.context.issuer || v.certificate.not_after() <= v.context.issuer->not_after(), "outlives its issuer");
}
Verdict time_forms(const View& v) {
  const auto is_right = [](const ASN1_TIME* time, Seconds at) {
    const bool is_late = base::to_rfc3339(at) >= "2050";
    return ASN1_STRING_type(time) == (is_late ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME);
  };
  const bool holds = is_right(X509_get0_notBefore(v.openssl), v.certificate.not_before()) &&
                     is_right(X509_get0_notAfter(v.openssl), v.certificate.not_after());
  return unless(holds, "UTCTime and GeneralizedTime do not change at 2050");
}
Verdict key_strong(const View& v) {
  const auto good = crypto::check_public_key(v.certificate.public_key());
  return good.ok() ? kPass : good.error().message();
}
Verdict subject_key_id_present(const View& v) {
  const auto wanted = subject_key_id_of(v.certificate.public_key().spki());
  return unless(wanted.ok() && std::ranges::equal(*wanted, v.certificate.subject_key_id()),
                "subject key identifier is not this key's");
}
Verdict subject_key_id_not_critical(const View& v) {
  return unless(!v.is_critical(kSubjectKeyId), "subject key identifier is critical");
}
Verdict authority_key_id_matches(const View& v) {
  const auto wanted = v.context.issuer ? v.context.issuer->subject_key_id() : v.certificate.subject_key_id();
  return unless(!wanted.empty() && std::ranges::equal(wanted, v.certificate.authority_key_id()),
                "authority key identifier is not the CA's");
}
Verdict authority_key_id_not_critical(const View& v) {
  return unless(!v.is_critical(kAuthorityKeyId), "authority key identifier is critical");
}
Verdict basic_constraints_critical(const View& v) {
  return unless(v.is_critical(kBasicConstraints), "basic constraints are not critical");
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
  return unless(above > 0 && v.certificate.path_length().value_or(above) < above, "path length is not below the issuer's");
}
Verdict issuer_is_ca(const View& v) {
  if (!v.context.issuer) return kPass;
  return unless(v.context.issuer->is_ca() && has_word(v.context.issuer->key_usage(), "keyCertSign"), "issuer is no CA");
}
Verdict key_usage_as_profile(const View& v) {
  return unless(same_words(v.certificate.key_usage(), v.context.key_usage), "key usage is not the profile's");
}
Verdict key_usage_critical(const View& v) {
  return unless(v.find(kKeyUsage) == nullptr || v.is_critical(kKeyUsage), "key usage is not critical");
}
Verdict key_cert_sign_only_for_ca(const View& v) {
  return unless(has_word(v.certificate.key_usage(), "keyCertSign") == v.certificate.is_ca(),
                "keyCertSign and CA flag do not go together");
}
Verdict extended_key_usage_as_profile(const View& v) {
  return unless(same_words(v.certificate.extended_key_usage(), v.context.extended_key_usage),
                "extended key usage is not the profile's");
}
Verdict subject_or_names(const View& v) {
  return unless(!v.certificate.subject().empty() || !v.certificate.sans().empty(), "neither subject nor alternative names");
}
Verdict ca_has_subject(const View& v) {
  return unless(!v.certificate.is_ca() || !v.certificate.subject().empty(), "CA without a subject");
}
Verdict san_critical_iff_no_subject(const View& v) {
  if (v.find(kSubjectAltName) == nullptr) return kPass;
  return unless(v.is_critical(kSubjectAltName) == v.certificate.subject().empty(),
                "alternative names are critical without need, or not with it");
}
Verdict san_normal_and_unique(const View& v) {
  auto names = v.certificate.sans();
  const auto encoded = encode_general_names(names);
  std::ranges::sort(names);
  const bool is_normal =
      v.find(kSubjectAltName) == nullptr || (encoded.ok() && !names.empty() && *encoded == v.find(kSubjectAltName)->value);
  return unless(is_normal && std::ranges::adjacent_find(names) == names.end(),
                "alternative names are not in normal form, or twice");
}
Verdict server_has_names(const View& v) {
  const bool is_server = has_word(v.certificate.extended_key_usage(), "serverAuth");
  return unless(!is_server || v.certificate.is_ca() || !v.certificate.sans().empty(), "serverAuth without alternative names");
}
Verdict common_name_among_names(const View& v) {
  const auto common_name = v.certificate.subject().common_name();
  if (!common_name || !has_word(v.certificate.extended_key_usage(), "serverAuth") || v.certificate.is_ca()) return kPass;
  const auto parsed = GeneralName::parse(*common_name);
  return unless(parsed.ok() && std::ranges::find(v.certificate.sans(), *parsed) != v.certificate.sans().end(),
                "the server's common name is none of the alternative names");
}
Verdict no_unknown_critical(const View& v) {
  constexpr std::array kKnown{kBasicConstraints, kKeyUsage, kSubjectAltName};
  const auto is_odd = [&](const Extension& e) { return e.critical && std::ranges::find(kKnown, e.oid) == kKnown.end(); };
  return unless(std::ranges::none_of(v.certificate.extensions(), is_odd), "a critical extension that none should be");
}
Verdict no_other_extension(const View& v) {
  constexpr std::array kKnown{kBasicConstraints, kKeyUsage,       kExtendedKeyUsage,      kSubjectKeyId,
                              kAuthorityKeyId,   kSubjectAltName, kCrlDistributionPoints, kAuthorityInfoAccess};
  const auto is_odd = [&](const Extension& e) { return std::ranges::find(kKnown, e.oid) == kKnown.end(); };
  return unless(std::ranges::none_of(v.certificate.extensions(), is_odd), "an extension outside the table");
}

struct Rule {
  RuleRow row;
  Verdict (*check)(const View&);
};
constexpr std::array kRules{
    Rule{{"openssl_reads_it", "RFC 5280 4.2"}, openssl_reads_it},
    Rule{{"version_three", "RFC 5280 4.1.2.1"}, version_three},
    Rule{{"serial_positive", "RFC 5280 4.1.2.2"}, serial_positive},
    Rule{{"serial_octets", "RFC 5280 4.1.2.2"}, serial_octets},
    Rule{{"serial_long_enough", "CABF BR 7.1"}, serial_long_enough},
    Rule{{"algorithm_agrees", "RFC 5280 4.1.1.2"}, algorithm_agrees},
    Rule{{"issuer_byte_equal", "RFC 5280 4.1.2.4, PROMISES B8"}, issuer_byte_equal},
    Rule{{"validity_ordered", "RFC 5280 4.1.2.5"}, validity_ordered},
    Rule{{"validity_within_profile", "PROMISES C11"}, validity_within_profile},
    Rule{{"within_issuer", "PROMISES C11"}, within_issuer},
    Rule{{"time_forms", "RFC 5280 4.1.2.5"}, time_forms},
    Rule{{"key_strong", "CABF BR 6.1.5, 6.1.6"}, key_strong},
    Rule{{"subject_key_id_present", "RFC 5280 4.2.1.2"}, subject_key_id_present},
    Rule{{"subject_key_id_not_critical", "RFC 5280 4.2.1.2"}, subject_key_id_not_critical},
    Rule{{"authority_key_id_matches", "RFC 5280 4.2.1.1"}, authority_key_id_matches},
    Rule{{"authority_key_id_not_critical", "RFC 5280 4.2.1.1"}, authority_key_id_not_critical},
    Rule{{"basic_constraints_critical", "RFC 5280 4.2.1.9"}, basic_constraints_critical},
    Rule{{"ca_as_profile", "RFC 5280 4.2.1.9"}, ca_as_profile},
    Rule{{"path_length_as_profile", "RFC 5280 4.2.1.9"}, path_length_as_profile},
    Rule{{"path_length_only_for_ca", "RFC 5280 4.2.1.9"}, path_length_only_for_ca},
    Rule{{"path_length_below_issuer", "RFC 5280 6.1.4"}, path_length_below_issuer},
    Rule{{"issuer_is_ca", "RFC 5280 6.1.4"}, issuer_is_ca},
    Rule{{"key_usage_as_profile", "RFC 5280 4.2.1.3"}, key_usage_as_profile},
    Rule{{"key_usage_critical", "RFC 5280 4.2.1.3"}, key_usage_critical},
    Rule{{"key_cert_sign_only_for_ca", "RFC 5280 4.2.1.3"}, key_cert_sign_only_for_ca},
    Rule{{"extended_key_usage_as_profile", "RFC 5280 4.2.1.12"}, extended_key_usage_as_profile},
    Rule{{"subject_or_names", "RFC 5280 4.1.2.6"}, subject_or_names},
    Rule{{"ca_has_subject", "RFC 5280 4.1.2.6"}, ca_has_subject},
    Rule{{"san_critical_iff_no_subject", "RFC 5280 4.2.1.6"}, san_critical_iff_no_subject},
    Rule{{"san_normal_and_unique", "PROMISES C14"}, san_normal_and_unique},
    Rule{{"server_has_names", "RFC 9525 6.3"}, server_has_names},
    Rule{{"common_name_among_names", "CABF BR 7.1.4.3, PROMISES C14"}, common_name_among_names},
    Rule{{"no_unknown_critical", "RFC 5280 4.2"}, no_unknown_critical},
    Rule{{"no_other_extension", "CABF BR 7.1.2"}, no_other_extension},
};
constexpr auto kRows = [] {
  std::array<RuleRow, kRules.size()> rows{};
  std::ranges::transform(kRules, rows.begin(), &Rule::row);
  return rows;
}();

Error failed(std::string what) { return Error(Code::LintFailed, "certificate: " + std::move(what)); }

}  // namespace

std::span<const RuleRow> certificate_rules() { return kRows; }

Result<Bytes> with_throwaway_signature(ByteView tbs, crypto::SignatureAlgorithm algorithm) {
  constexpr std::size_t kOctets = 8;
  return assemble_signed(tbs, algorithm, Bytes(kOctets));
}

Result<LintedTbs> lint_certificate(Bytes tbs, crypto::SignatureAlgorithm algorithm, const LintContext& context) {
  const auto der = with_throwaway_signature(tbs, algorithm);
  if (!der.ok()) return failed(der.error().message());
  const auto certificate = Certificate::from_der(*der);
  if (!certificate.ok()) return failed(certificate.error().message());
  const unsigned char* cursor = der->data();
  const crypto::X509Ptr openssl(d2i_X509(nullptr, &cursor, static_cast<long>(der->size())));
  ERR_clear_error();
  if (!openssl || cursor != der->data() + der->size()) return failed("OpenSSL does not read it");
  const View view{*certificate, openssl.get(), algorithm, context};
  std::string findings;
  for (const auto& rule : kRules) {
    const auto verdict = rule.check(view);
    if (verdict.empty()) continue;
    findings +=
        (findings.empty() ? "" : "; ") + std::string(rule.row.id) + ": " + verdict + " (" + std::string(rule.row.source) + ")";
  }
  if (!findings.empty()) return failed(std::move(findings));
  return LintedTbs(std::move(tbs), algorithm);
}

}  // namespace chancery::x509
