#include "server/realm/names.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/realm/hosts.h"
#include "server/x509/name_constraints.h"

namespace chancery::realm {
namespace {

constexpr std::size_t kMaxCommonName = 64;  // X.520 ub-common-name

bool contains(const std::vector<std::string>& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

bool has_common_name(const config::Profile& profile) { return profile.common_name != "none"; }

/// Of the certificate's subject; none: it has none.
std::string common_name_for(const Wish& wish) {
  if (!has_common_name(*wish.profile)) return {};
  if (const auto asked = wish.subject.common_name()) return *asked;
  for (const auto& san : wish.sans) {
    if (san.type == x509::GeneralName::Type::Dns && san.value.size() <= kMaxCommonName) return san.value;
  }
  return {};
}

std::vector<std::string> common_names_of(const x509::Name& subject) {
  std::vector<std::string> out;
  for (const auto& one : subject.attributes) {
    if (one.type == "CN") out.push_back(one.value);
  }
  return out;
}

std::string in_quotes(std::string_view text) { return "\"" + base::printable(text, 80) + "\""; }

/// One that says what the common name says stands even where none may be asked for: without it verifiers would look at the
/// common name.
std::string fault_in_sans(const config::Profile& profile, const x509::Name& subject, const std::vector<x509::GeneralName>& sans) {
  const auto common_name = subject.common_name();
  const auto own = may_serve(profile) && common_name ? as_host(*common_name) : std::nullopt;
  for (const auto& san : sans) {
    if (!profile.altnames && own != san) return "the profile allows no subject alternative names";
    if (!profile.san_types.empty() && !contains(profile.san_types, type_word(san))) {
      return san.to_text() + ": the profile allows no names of that type";
    }
  }
  return {};
}

/// PROMISES C14: the common name of a server is among the names that are looked at, so nothing is only in the common name.
std::string fault_in_server(const config::Profile& profile, const x509::Name& subject,
                            const std::vector<x509::GeneralName>& sans) {
  if (!may_serve(profile)) return {};
  const auto common_names = common_names_of(subject);
  if (common_names.size() > 1) {
    return "the subject has " + std::to_string(common_names.size()) +
           " common names, expected one: verifiers take each of them for a server's name; ask for alternative names";
  }
  for (const auto& one : common_names) {
    if (!could_be_host(profile, one)) continue;
    const auto host = as_host(one);
    if (!host)
      return "common name " + in_quotes(one) +
             " looks like a host's and is no DNS name (in A-labels, RFC 5890 2.3.2.1) or address";
    if (std::ranges::find(sans, *host) == sans.end())
      return "common name " + in_quotes(one) + " is not among the alternative names";
  }
  if (!sans.empty() || !is_for_servers(profile) || profile.cert_type.find("server") == std::string::npos) return {};
  return "no subject alternative name, expected the server's DNS name or address (RFC 9525 6.3): ask for one, or take a profile "
         "without serverAuth";
}

/// Of a certificate that would name nobody.
std::string fault_in_nameless(const config::Profile& profile) {
  std::string fault = "found neither a subject nor a subject alternative name, expected one of them";
  const bool drops = !has_common_name(profile);
  if (drops) fault += "; profile " + profile.name.text() + " has common_name: none, so that a common name is left out";
  if (profile.altnames) return fault + ": ask for an alternative name";
  return fault + (drops ? ": change its common_name or altnames" : ": ask for a common name");
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

std::optional<std::string> reserved_name(const config::Profile& profile, const x509::Name& subject,
                                         const std::vector<x509::GeneralName>& sans) {
  for (const auto& san : sans) {
    if (is_reserved(san)) return san.value;
  }
  if (!may_serve(profile)) return std::nullopt;  // a person may be called Test
  for (const auto& one : common_names_of(subject)) {
    auto host = base::to_lower_ascii(host_in(one));
    if (is_reserved({x509::GeneralName::Type::Dns, host})) return host;
  }
  return std::nullopt;
}

x509::Name subject_for(const Wish& wish) {
  const bool from_request = wish.subject_from == SubjectFrom::AsProfileSays && wish.profile->subject_from_request;
  if (wish.subject_from == SubjectFrom::Rule) return wish.subject;
  const auto common_name = common_name_for(wish);
  x509::Name subject;
  if (from_request) {
    subject = wish.subject;
    if (!has_common_name(*wish.profile))
      std::erase_if(subject.attributes, [](const x509::Attribute& one) { return one.type == "CN"; });
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
  const auto& profile = *wish.profile;
  std::vector<x509::GeneralName> sans;
  const auto add = [&sans](const x509::GeneralName& name) {
    if (std::ranges::find(sans, name) == sans.end()) sans.push_back(name);
  };
  const auto common_name = has_common_name(profile) ? subject.common_name() : wish.subject.common_name();
  const bool wanted = may_serve(profile) || (profile.altnames && !wish.sans.empty());
  if (wanted && common_name && could_be_host(profile, *common_name)) {
    if (const auto host = as_host(*common_name); host && std::ranges::find(wish.sans, *host) == wish.sans.end()) add(*host);
  }
  std::ranges::for_each(wish.sans, add);
  return sans;
}

std::string fault_in_names(const config::Profile& profile, const Authority& authority, const x509::Name& subject,
                           const std::vector<x509::GeneralName>& sans) {
  if (subject.empty() && sans.empty()) return fault_in_nameless(profile);
  if (profile.is_ca && subject.empty()) return "a CA certificate needs a subject (RFC 5280 4.1.2.6)";
  if (const auto der = subject.der();
      !profile.is_ca && der.ok() && std::ranges::equal(*der, authority.certificate.subject_der())) {
    return "the subject is the CA's own, " + subject.to_slash() + ": nothing but a CA may bear it (RFC 5280 6.1)";
  }
  for (const auto& one : common_names_of(subject)) {
    if (auto fault = fault_in_common_name(one); !fault.empty()) return fault;
  }
  if (auto fault = fault_in_sans(profile, subject, sans); !fault.empty()) return fault;
  if (auto fault = fault_in_server(profile, subject, sans); !fault.empty()) return fault;
  return fault_against_domain(profile, subject, sans);
}

std::string fault_against_constraints(const config::Profile& profile, const Authority& authority, const x509::Name& subject,
                                      const std::vector<x509::GeneralName>& sans) {
  auto chain = authority.above;
  chain.insert(chain.begin(), authority.certificate);
  for (const auto& ca : chain) {
    const auto constraints = x509::name_constraints_of(ca);
    if (!constraints.ok()) return constraints.error().message();
    if (!*constraints) continue;
    if (auto fault = (*constraints)->fault_in(subject, sans, profile.is_ca); !fault.empty())
      return fault + " (name constraints of " + ca.subject().to_slash() + ")";
  }
  return {};
}

}  // namespace chancery::realm
