#include "server/realm/names.h"

#include <algorithm>
#include <array>

namespace chancery::realm {
namespace {

constexpr std::size_t kMaxCommonName = 64;  // X.520 ub-common-name

bool contains(const std::vector<std::string>& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

std::optional<x509::GeneralName> as_host(const std::string& common_name) {
  for (const auto* prefix : {"IP:", "DNS:"}) {
    auto name = x509::GeneralName::parse(prefix + common_name);
    if (name.ok() && (name->type == x509::GeneralName::Type::Ip || name->value.find('.') != std::string::npos)) return *name;
  }
  return std::nullopt;
}

std::string common_name_for(const Wish& wish) {
  if (const auto asked = wish.subject.common_name()) return *asked;
  for (const auto& san : wish.sans) {
    if (san.type == x509::GeneralName::Type::Dns && san.value.size() <= kMaxCommonName) return san.value;
  }
  return {};
}

std::string fault_in_san(const config::Profile& profile, const x509::GeneralName& san) {
  if (!profile.san_types.empty() && !contains(profile.san_types, type_word(san))) {
    return san.to_text() + ": the profile allows no names of that type";
  }
  if (san.type == x509::GeneralName::Type::Dns && !profile.domain.empty() && !lies_below(san.value, profile.domain)) {
    return san.to_text() + " does not lie below " + profile.domain;
  }
  return {};
}

/// Names of files are made from common names elsewhere, in other programs too, so none may climb out of a directory (PROMISES
/// F34). A slash by itself is fine: host/www.example.org is what a grid calls a service.
std::string fault_in_common_name(std::string_view name) {
  if (name.starts_with('/')) return "common name begins with '/', expected a name, not a path";
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    if (const auto part = name.substr(at, end - at); part == ".." || part == ".") {
      return "common name has the path segment \"" + std::string(part) + "\", expected a name, not a path";
    }
    at = end + 1;
  }
  return {};
}

}  // namespace

std::string_view type_word(const x509::GeneralName& name) {
  constexpr std::array<std::string_view, 4> kWords{"dns", "ip", "email", "uri"};
  return kWords.at(static_cast<std::size_t>(name.type));
}

bool is_reserved(const x509::GeneralName& name) {
  constexpr std::array<std::string_view, 4> kReserved{"localhost", "local", "invalid", "test"};
  return name.type == x509::GeneralName::Type::Dns && std::ranges::find(kReserved, name.value) != kReserved.end();
}

bool lies_below(std::string_view dns_name, std::string_view domain) {
  if (dns_name == domain) return true;
  return dns_name.size() > domain.size() && dns_name.ends_with(domain) && dns_name[dns_name.size() - domain.size() - 1] == '.';
}

x509::Name subject_for(const Wish& wish) {
  const bool from_request = wish.subject_from == SubjectFrom::AsProfileSays && wish.profile->subject_from_request;
  const auto common_name = common_name_for(wish);
  x509::Name subject;
  if (from_request) {
    subject = wish.subject;
    if (!subject.common_name() && !common_name.empty()) subject.attributes.push_back({"CN", common_name});
    return subject;
  }
  for (const auto& [type, value] : wish.profile->subject) {
    if (type != "CN" && !value.empty()) subject.attributes.push_back({type, value});
  }
  if (!common_name.empty()) subject.attributes.push_back({"CN", common_name});
  return subject;
}

std::vector<x509::GeneralName> sans_for(const Wish& wish, const x509::Name& subject) {
  auto sans = wish.sans;
  const auto common_name = subject.common_name();
  if (!wish.profile->altnames || !common_name) return sans;
  const bool for_servers = contains(wish.profile->extended_key_usage, "serverAuth");
  const auto host = as_host(*common_name);
  if (host && (for_servers || !sans.empty()) && std::ranges::find(sans, *host) == sans.end()) sans.insert(sans.begin(), *host);
  return sans;
}

std::string fault_in_names(const config::Profile& profile, const x509::Name& subject,
                           const std::vector<x509::GeneralName>& sans) {
  if (subject.empty() && sans.empty()) return "neither a subject nor a subject alternative name";
  if (!profile.altnames && !sans.empty()) return "the profile allows no subject alternative names";
  for (const auto& one : subject.attributes) {
    if (one.type != "CN") continue;
    if (auto fault = fault_in_common_name(one.value); !fault.empty()) return fault;
  }
  if (profile.is_ca && subject.empty()) return "a CA certificate needs a subject (RFC 5280 4.1.2.6)";
  for (const auto& san : sans) {
    if (auto fault = fault_in_san(profile, san); !fault.empty()) return fault;
  }
  return {};
}

}  // namespace chancery::realm
