#include <array>

#include "server/x509/der.h"
#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

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

}  // namespace

Verdict fault_in_points(ByteView value) { return fault_in_urls(value, read_point); }

namespace {

Verdict freshest_urls_fetchable(const View& v) {
  const auto* extension = v.find(kFreshestCrl);
  return extension == nullptr ? kPass : fault_in_points(extension->value);
}

Verdict crl_urls_fetchable(const View& v) {
  const auto* extension = v.find(kCrlDistributionPoints);
  return extension == nullptr ? kPass : fault_in_points(extension->value);
}

Verdict access_urls_fetchable(const View& v) {
  const auto* extension = v.find(kAuthorityInfoAccess);
  return extension == nullptr ? kPass : fault_in_urls(extension->value, read_access);
}

constexpr std::array kRules{
    Rule<View>{{"crl_urls_fetchable", "RFC 5280 4.2.1.13"}, crl_urls_fetchable},
    Rule<View>{{"freshest_urls_fetchable", "RFC 5280 4.2.1.15"}, freshest_urls_fetchable},
    Rule<View>{{"access_urls_fetchable", "RFC 5280 4.2.2.1"}, access_urls_fetchable},
};

}  // namespace

std::span<const Rule<CertificateView>> location_rules() { return kRules; }

}  // namespace chancery::x509
