#include "server/realm/hosts.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"

namespace chancery::realm {
namespace {

using Type = x509::GeneralName::Type;

bool contains(const std::vector<std::string>& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

bool is_of_hosts(char c) {
  const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return plain || static_cast<unsigned char>(c) >= 0x80 || std::string_view("-_.*:[]").find(c) != std::string_view::npos;
}

std::string_view after_last(std::string_view text, char separator) { return text.substr(text.rfind(separator) + 1); }

/// The host of a URI that GeneralName has passed (RFC 3986 3.2.2). Empty when it has none.
std::string_view host_of_uri(std::string_view uri) {
  const auto start = uri.find("://");
  if (start == std::string_view::npos) return {};
  const auto rest = uri.substr(start + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  return authority.substr(0, authority.find(':'));
}

/// What of an alternative name has to lie in a domain. Empty: nothing can.
std::string_view host_of(const x509::GeneralName& name) {
  switch (name.type) {
    case Type::Dns: return name.value;
    case Type::Email: return after_last(name.value, '@');
    case Type::Uri: return host_of_uri(name.value);
    case Type::Ip: break;
  }
  return {};
}

/// What of an attribute of the subject has to lie in a domain. Empty: nothing need.
std::string_view host_of(const config::Profile& profile, const x509::Attribute& one) {
  if (one.type == "emailAddress") return after_last(one.value, '@');
  if (one.type != "CN") return {};
  if (one.value.find('@') != std::string::npos) return host_in(after_last(one.value, '@'));
  // Where nothing takes the certificate for a server's, a dot makes no host of jean.dupont.
  return may_serve(profile) ? host_in(one.value) : std::string_view();
}

}  // namespace

bool is_for_servers(const config::Profile& profile) {
  return !profile.is_ca && contains(profile.extended_key_usage, "serverAuth");
}

bool may_serve(const config::Profile& profile) {
  if (profile.is_ca || is_for_servers(profile)) return !profile.is_ca;
  constexpr std::array kOfTls{"digitalSignature", "keyEncipherment", "keyAgreement"};  // RFC 5280 4.2.1.12, serverAuth
  const auto is_in_profile = [&](std::string_view usage) { return contains(profile.key_usage, usage); };
  return profile.extended_key_usage.empty() && (profile.key_usage.empty() || std::ranges::any_of(kOfTls, is_in_profile));
}

std::string_view host_in(std::string_view common_name) {
  const auto host = base::trim(after_last(common_name, '/'));
  return std::ranges::all_of(host, is_of_hosts) ? host : std::string_view();
}

bool could_be_host(const config::Profile& profile, std::string_view common_name) {
  const auto host = host_in(common_name);
  return !host.empty() && (is_for_servers(profile) || host.find_first_of(".:") != std::string_view::npos);
}

std::optional<x509::GeneralName> as_host(std::string_view common_name) {
  const std::string host(host_in(common_name));
  for (const auto* prefix : {"IP:", "DNS:"}) {
    if (auto name = x509::GeneralName::parse(prefix + host); name.ok()) return *name;
  }
  return std::nullopt;
}

bool lies_below(std::string_view dns_name, std::string_view domain) {
  if (dns_name == domain) return true;
  return dns_name.size() > domain.size() && dns_name.ends_with(domain) && dns_name[dns_name.size() - domain.size() - 1] == '.';
}

std::string fault_against_domain(const config::Profile& profile, const x509::Name& subject,
                                 const std::vector<x509::GeneralName>& sans) {
  if (profile.domain.empty()) return {};
  const auto is_inside = [domain = base::to_lower_ascii(profile.domain)](std::string_view host) {
    return lies_below(base::to_lower_ascii(host), domain);
  };
  const auto outside = " does not lie below " + profile.domain + ", the domain of profile " + profile.name.text();
  for (const auto& san : sans) {
    if (!is_inside(host_of(san))) return san.to_text() + outside;
  }
  for (const auto& one : subject.attributes) {
    const auto host = host_of(profile, one);
    if (!host.empty() && !is_inside(host)) return one.type + " \"" + base::printable(one.value, 80) + "\"" + outside;
  }
  return {};
}

}  // namespace chancery::realm
