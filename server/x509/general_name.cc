#include "server/x509/general_name.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/x509/a_label.h"
#include "server/x509/der.h"

namespace chancery::x509 {
namespace {

using Type = GeneralName::Type;

constexpr std::size_t kMaxDnsLength = 253;
constexpr std::size_t kMaxLabelLength = 63;
constexpr std::size_t kMaxLocalPart = 64;     // RFC 5321 4.5.3.1.1
constexpr std::size_t kMaxEmailLength = 254;  // RFC 5321 4.5.3.1.3
constexpr std::size_t kMaxUriLength = 2048;

Error wrong(std::string_view text, std::string_view what) {
  return Error(Code::Malformed, "name \"" + base::printable(text, 80) + "\" " + std::string(what));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Why a label is none, where that is worth a message of its own.
std::string_view fault_in_label(std::string_view label) {
  if (label.empty()) return "has an empty label: two dots, or one at the beginning";
  if (label.size() > kMaxLabelLength) return "has a label above 63 characters (RFC 1035 2.3.4)";
  if (label.starts_with("xn--")) return "has a label that begins with xn-- and is no A-label (RFC 5890 2.3.2.1)";
  return "has a label that is not of letters, digits and hyphens (RFC 5890 2.3.1)";
}

/// RFC 5890 2.3.1: letters, digits, hyphens inside; two hyphens at the third place only in an A-label.
bool is_ldh_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabelLength) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  if (label.size() >= 4 && label.substr(2, 2) == "--" && !label.starts_with("xn--")) return false;
  if (!std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; })) return false;
  return !label.starts_with("xn--") || is_a_label(label);
}

Result<std::string> read_dns(std::string_view text) {
  auto name = base::to_lower_ascii(text);
  if (name.empty() || name.size() > kMaxDnsLength) return wrong(text, "is empty or above 253 characters");
  if (name.ends_with('.')) return wrong(text, "ends with a dot, expected the name without it (RFC 5280 4.2.1.6)");
  const bool is_wildcard = name.starts_with("*.");
  const auto labels = base::split(is_wildcard ? std::string_view(name).substr(2) : std::string_view(name), '.');
  if (is_wildcard && labels.size() < 2) return wrong(text, "has a wildcard over less than two labels");
  for (const auto& label : labels) {
    if (!is_ldh_label(label)) return wrong(text, fault_in_label(label));
  }
  if (std::ranges::all_of(labels.back(), is_digit)) return wrong(text, "ends with a number, as no DNS name does");
  return name;
}

Result<std::string> read_ip(std::string_view text) {
  const std::string copy(text);
  std::array<char, INET6_ADDRSTRLEN> out{};
  in_addr four{};
  if (copy.find('\0') == std::string::npos && inet_pton(AF_INET, copy.c_str(), &four) == 1) {
    return std::string(inet_ntop(AF_INET, &four, out.data(), out.size()));
  }
  in6_addr six{};
  if (copy.find('\0') != std::string::npos || inet_pton(AF_INET6, copy.c_str(), &six) != 1)
    return wrong(text, "is no IP address");
  if (IN6_IS_ADDR_V4MAPPED(&six)) return wrong(text, "is an IPv4 address in IPv6 clothes");
  return std::string(inet_ntop(AF_INET6, &six, out.data(), out.size()));
}

/// Dot-atom local parts only (RFC 5322 3.2.3); the domain in lower case.
Result<std::string> read_email(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~";
  const auto at = text.find('@');
  if (at == std::string_view::npos || text.size() > kMaxEmailLength) return wrong(text, "is no e-mail address");
  const auto local = text.substr(0, at);
  if (local.size() > kMaxLocalPart) return wrong(text, "has a local part above 64 characters");
  for (const auto& atom : base::split(local, '.')) {
    const bool good = !atom.empty() && std::ranges::all_of(atom, [](char c) {
      return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
    });
    if (!good) return wrong(text, "has a local part that is no dot-atom");
  }
  PKI_TRY(const auto domain, read_dns(text.substr(at + 1)));
  if (domain.starts_with("*")) return wrong(text, "has a wildcard domain");
  return std::string(local) + "@" + domain;
}

/// What a name of ours may locate; file:, javascript: and their like are none of it.
struct Scheme {
  std::string_view name;
  bool has_host;
};
constexpr std::array kSchemes{
    Scheme{"http", true},  Scheme{"https", true},  Scheme{"ldap", true},
    Scheme{"ldaps", true}, Scheme{"spiffe", true}, Scheme{"urn", false},
};

/// RFC 3986 3, absolute, without credentials; the scheme in lower case.
Result<std::string> read_uri(std::string_view text) {
  if (text.size() > kMaxUriLength) return wrong(text, "is above 2048 characters");
  const auto is_fine = [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
  };
  if (!std::ranges::all_of(text, is_fine)) return wrong(text, "holds a character that no URI holds");
  const auto colon = text.find(':');
  const auto name = base::to_lower_ascii(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  const auto scheme = std::ranges::find(kSchemes, name, &Scheme::name);
  if (scheme == kSchemes.end()) return wrong(text, "is no URI of http, https, ldap, ldaps, spiffe or urn");
  const auto rest = text.substr(colon + 1);
  if (rest.empty()) return wrong(text, "ends after its scheme");
  if (!scheme->has_host) return name + ":" + std::string(rest);
  if (!rest.starts_with("//")) return wrong(text, "has no host");
  const auto authority = rest.substr(2, rest.find_first_of("/?#", 2) - 2);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return wrong(text, "has no host, or has credentials");
  return name + ":" + std::string(rest);
}

struct Kind {
  Type type;
  std::string_view prefix;
  Result<std::string> (*read)(std::string_view);
  std::uint8_t tag;
};
constexpr std::array kKinds{
    Kind{Type::Dns, "DNS", read_dns, der::context(2)},
    Kind{Type::Ip, "IP", read_ip, der::context(7)},
    Kind{Type::Email, "EMAIL", read_email, der::context(1)},
    Kind{Type::Uri, "URI", read_uri, der::context(6)},
};

const Kind& kind_of(Type type) { return *std::ranges::find(kKinds, type, &Kind::type); }

Type looks_like(std::string_view text) {
  if (read_ip(text).ok()) return Type::Ip;
  if (text.find("://") != std::string_view::npos) return Type::Uri;
  return text.find('@') != std::string_view::npos ? Type::Email : Type::Dns;
}

Result<GeneralName> read_as(const Kind& kind, std::string_view text) {
  PKI_TRY(auto value, kind.read(text));
  return GeneralName{kind.type, std::move(value)};
}

}  // namespace

Bytes ip_octets(const std::string& value) {
  const bool is_four = value.find(':') == std::string::npos;
  Bytes out(is_four ? sizeof(in_addr) : sizeof(in6_addr));
  PKI_CHECK(inet_pton(is_four ? AF_INET : AF_INET6, value.c_str(), out.data()) == 1);
  return out;
}

Result<std::string> ip_text(ByteView octets) {
  if (octets.size() != sizeof(in_addr) && octets.size() != sizeof(in6_addr))
    return wrong(base::to_hex(octets), "is no IP address");
  std::array<char, INET6_ADDRSTRLEN> out{};
  return std::string(inet_ntop(octets.size() == sizeof(in_addr) ? AF_INET : AF_INET6, octets.data(), out.data(), out.size()));
}

Result<GeneralName> GeneralName::parse(std::string_view text) {
  const auto colon = text.find(':');
  const auto prefix = base::to_lower_ascii(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  for (const auto& kind : kKinds) {
    if (!prefix.empty() && prefix == base::to_lower_ascii(kind.prefix)) return read_as(kind, text.substr(colon + 1));
  }
  return read_as(kind_of(looks_like(text)), text);
}

std::string GeneralName::to_text() const { return std::string(kind_of(type).prefix) + ":" + value; }

Result<Bytes> encode_general_names(const std::vector<GeneralName>& names) {
  if (names.size() > kMaxSans) return Error(Code::TooLarge, "more than 100 alternative names");
  Bytes content;
  for (const auto& name : names) {
    const auto& kind = kind_of(name.type);
    PKI_TRY(const auto value, kind.read(name.value));
    if (value != name.value) return wrong(name.value, "is not in its normal form");
    if (name.type == Type::Ip) {
      der::append_tlv(content, kind.tag, ip_octets(value));
    } else {
      der::append_tlv(content, kind.tag, base::as_bytes(value));
    }
  }
  return der::tlv(der::kSequence, content);
}

Result<std::vector<GeneralName>> decode_general_names(ByteView bytes) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, bytes, "alternative names"));
  std::vector<GeneralName> names;
  for (der::Reader reader(sequence.content); !reader.done();) {
    if (names.size() == kMaxSans) return Error(Code::TooLarge, "more than 100 alternative names");
    PKI_TRY(const auto element, reader.any());
    const auto kind = std::ranges::find(kKinds, element.tag, &Kind::tag);
    if (kind == kKinds.end()) return Error(Code::Malformed, "alternative name of a kind other than DNS, IP, e-mail and URI");
    std::string text(base::as_text(element.content));
    if (kind->type == Type::Ip) {
      PKI_TRY(text, ip_text(element.content));
    }
    PKI_TRY(auto name, read_as(*kind, text));
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace chancery::x509
