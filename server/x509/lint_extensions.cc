#include <array>

#include "server/x509/der.h"
#include "server/x509/lint_rules.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

// ----- the list of them

constexpr std::array kKnown{kBasicConstraints, kKeyUsage,       kExtendedKeyUsage,      kSubjectKeyId,
                            kAuthorityKeyId,   kSubjectAltName, kCrlDistributionPoints, kAuthorityInfoAccess};
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

Verdict extension_once(const View& v) {
  for (int i = 0; i < X509_get_ext_count(v.openssl); ++i) {
    const auto* object = X509_EXTENSION_get_object(X509_get_ext(v.openssl, i));
    if (X509_get_ext_by_OBJ(v.openssl, object, i) != -1) return "an extension stands twice";
  }
  return kPass;
}

// ----- keys

Verdict subject_key_id_of_key(const View& v) {
  const auto wanted = subject_key_id_of(v.certificate.public_key().spki());
  return unless(wanted.ok() && std::ranges::equal(*wanted, v.certificate.subject_key_id()),
                "subject key identifier is not this key's");
}

Verdict authority_key_id_of_issuer(const View& v) {
  const auto wanted = v.context.issuer ? v.context.issuer->key_id() : v.certificate.key_id();
  return unless(std::ranges::equal(wanted, v.certificate.authority_key_id()), "authority key identifier is not the CA's");
}

// ----- CA or not

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
  return unless(above > 0 && v.certificate.path_length().value_or(above) < above, "path length is not below the issuer's");
}

// ----- usage

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

// ----- alternative names

Verdict san_critical_iff_no_subject(const View& v) {
  if (v.find(kSubjectAltName) == nullptr) return kPass;
  return unless(v.is_critical(kSubjectAltName) == v.certificate.subject().empty(),
                "alternative names are critical without need, or not with it");
}

Verdict san_in_normal_form(const View& v) {
  const auto* extension = v.find(kSubjectAltName);
  if (extension == nullptr) return kPass;
  const auto again = encode_general_names(v.certificate.sans());
  return unless(again.ok() && !v.certificate.sans().empty() && *again == extension->value,
                "alternative names are none, or not in their normal form");
}

Verdict san_unique(const View& v) {
  auto names = v.certificate.sans();
  std::ranges::sort(names);
  return unless(std::ranges::adjacent_find(names) == names.end(), "an alternative name stands twice");
}

bool is_server(const View& v) { return !v.certificate.is_ca() && has_word(v.certificate.extended_key_usage(), "serverAuth"); }

Verdict server_has_names(const View& v) {
  return unless(!is_server(v) || !v.certificate.sans().empty(), "serverAuth without alternative names");
}

Verdict common_name_among_names(const View& v) {
  const auto common_name = v.certificate.subject().common_name();
  if (!is_server(v) || v.certificate.sans().empty() || !common_name) return kPass;
  const auto name = GeneralName::parse(*common_name);
  const bool is_host = name.ok() && (name->type == GeneralName::Type::Ip ||
                                     (name->type == GeneralName::Type::Dns && name->value.find('.') != std::string::npos));
  if (!is_host) return kPass;
  return unless(std::ranges::find(v.certificate.sans(), *name) != v.certificate.sans().end(),
                "the server's common name is none of the alternative names");
}

// ----- where to look further

bool is_fetchable(std::string_view url) {
  constexpr std::array<std::string_view, 4> kSchemes{"http://", "https://", "ldap://", "ldaps://"};
  const auto name = GeneralName::parse("URI:" + std::string(url));
  return name.ok() && std::ranges::any_of(kSchemes, [&](std::string_view scheme) { return url.starts_with(scheme); });
}

/// The one URI of one DistributionPoint: [0] { [0] { [6] uri } } (RFC 5280 4.2.1.13).
Result<std::string> read_point(ByteView point) {
  PKI_TRY(const auto name, der::only(der::constructed(0), point, "distribution point name"));
  PKI_TRY(const auto full_name, der::only(der::constructed(0), name.content, "full name"));
  PKI_TRY(const auto uri, der::only(der::context(6), full_name.content, "URI"));
  return std::string(base::as_text(uri.content));
}

/// The URI of one AccessDescription (RFC 5280 4.2.2.1).
Result<std::string> read_access(ByteView description) {
  der::Reader reader(description);
  PKI_TRY(const auto method, reader.next(der::kOid, "access method"));
  PKI_TRY(const auto uri, reader.next(der::context(6), "URI"));
  PKI_TRY_VOID(reader.finish("access description"));
  PKI_TRY(const auto oid, der::read_oid(method));
  if (oid != "1.3.6.1.5.5.7.48.1" && oid != "1.3.6.1.5.5.7.48.2") return Error(Code::Malformed, "access method " + oid);
  return std::string(base::as_text(uri.content));
}

Verdict fault_in_urls(ByteView value, Result<std::string> (*read)(ByteView)) {
  const auto list = der::only(der::kSequence, value, "list");
  if (!list.ok()) return list.error().message();
  if (list->content.empty()) return "empty list";
  for (der::Reader reader(list->content); !reader.done();) {
    const auto element = reader.next(der::kSequence, "element");
    if (!element.ok()) return element.error().message();
    const auto url = read(element->content);
    if (!url.ok()) return url.error().message();
    if (!is_fetchable(*url)) return "URL is not of http, https or ldap";
  }
  return kPass;
}

Verdict crl_urls_fetchable(const View& v) {
  const auto* extension = v.find(kCrlDistributionPoints);
  return extension == nullptr ? kPass : fault_in_urls(extension->value, read_point);
}

Verdict access_urls_fetchable(const View& v) {
  const auto* extension = v.find(kAuthorityInfoAccess);
  return extension == nullptr ? kPass : fault_in_urls(extension->value, read_access);
}

constexpr std::array kRules{
    Rule<View>{{"extension_known", "CABF BR 7.1.2, PROMISES C15"}, extension_known},
    Rule<View>{{"extension_criticality", "RFC 5280 4.2.1, 4.2.2"}, extension_criticality},
    Rule<View>{{"extension_once", "RFC 5280 4.2"}, extension_once},
    Rule<View>{{"subject_key_id_of_key", "RFC 5280 4.2.1.2, RFC 7093 2"}, subject_key_id_of_key},
    Rule<View>{{"authority_key_id_of_issuer", "RFC 5280 4.2.1.1"}, authority_key_id_of_issuer},
    Rule<View>{{"basic_constraints_critical", "RFC 5280 4.2.1.9"}, basic_constraints_critical},
    Rule<View>{{"ca_as_profile", "RFC 5280 4.2.1.9, PROMISES C15"}, ca_as_profile},
    Rule<View>{{"path_length_as_profile", "RFC 5280 4.2.1.9"}, path_length_as_profile},
    Rule<View>{{"path_length_only_for_ca", "RFC 5280 4.2.1.9"}, path_length_only_for_ca},
    Rule<View>{{"path_length_below_issuer", "RFC 5280 6.1.4"}, path_length_below_issuer},
    Rule<View>{{"key_usage_as_profile", "RFC 5280 4.2.1.3, PROMISES C15"}, key_usage_as_profile},
    Rule<View>{{"key_usage_critical", "RFC 5280 4.2.1.3"}, key_usage_critical},
    Rule<View>{{"key_usage_fits_key", "RFC 4055 1.2, RFC 8813 3, RFC 8410 5"}, key_usage_fits_key},
    Rule<View>{{"key_cert_sign_only_for_ca", "RFC 5280 4.2.1.3, 4.2.1.9"}, key_cert_sign_only_for_ca},
    Rule<View>{{"extended_key_usage_as_profile", "RFC 5280 4.2.1.12, PROMISES C15"}, extended_key_usage_as_profile},
    Rule<View>{{"san_critical_iff_no_subject", "RFC 5280 4.2.1.6"}, san_critical_iff_no_subject},
    Rule<View>{{"san_in_normal_form", "RFC 5280 4.2.1.6, PROMISES C14"}, san_in_normal_form},
    Rule<View>{{"san_unique", "PROMISES C14"}, san_unique},
    Rule<View>{{"server_has_names", "RFC 9525 6.3", Severity::Warning}, server_has_names},
    Rule<View>{{"common_name_among_names", "CABF BR 7.1.4.3, PROMISES C14"}, common_name_among_names},
    Rule<View>{{"crl_urls_fetchable", "RFC 5280 4.2.1.13"}, crl_urls_fetchable},
    Rule<View>{{"access_urls_fetchable", "RFC 5280 4.2.2.1"}, access_urls_fetchable},
};

}  // namespace

std::span<const Rule<CertificateView>> extension_rules() { return kRules; }

}  // namespace chancery::x509
