#include "server/config/text_checks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>

#include "server/base/address.h"
#include "server/base/mail_address.h"
#include "server/base/name_pattern.h"
#include "server/base/names.h"
#include "server/base/network.h"
#include "server/base/text.h"
#include "server/base/z85.h"
#include "server/config/server_config.h"

namespace chancery::config {
namespace {

constexpr std::size_t kMaxShown = 80;
constexpr std::size_t kMaxDomainOctets = 253;  // RFC 1035 2.3.4
constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxAccountOctets = 32;
constexpr int kMaxPort = 65535;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

Error unexpected(std::string_view found, std::string_view expected) {
  return {Code::BadConfig, "found \"" + base::printable(found, kMaxShown) + "\", expected " + std::string(expected)};
}

/// A number in decimal digits alone.
bool is_number(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size() && number <= most;
}

/// The texts from the fourth on of a DS or DNSKEY record, whose last one may be in pieces.
struct RecordRow {
  std::string_view type;
  bool (*is_rest)(std::string_view third, const std::string& rest);
};
bool is_digest(std::string_view type, const std::string& hex) {
  struct Length {
    std::string_view type;
    std::size_t octets;
  };
  constexpr std::array kLengths{Length{"1", 20}, Length{"2", 32}, Length{"4", 48}};  // IANA's registry of DS digest types
  const auto octets = base::from_hex(hex);
  const auto* const row = std::ranges::find(kLengths, type, &Length::type);
  return octets.ok() && !octets->empty() && (row == kLengths.end() || octets->size() == row->octets);
}
bool is_key(std::string_view /*algorithm*/, const std::string& base64) {
  const auto octets = base::from_base64(base64);
  return octets.ok() && !octets->empty();
}
constexpr std::array kRecords{RecordRow{"DS", is_digest}, RecordRow{"DNSKEY", is_key}};

bool is_label(std::string_view label) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '-'; };
  return !label.empty() && label.size() <= kMaxLabelOctets && std::ranges::all_of(label, allowed) && label.front() != '-' &&
         label.back() != '-';
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxDomainOctets) return false;
  const auto labels = base::split(text, '.');
  return std::ranges::all_of(labels, [](const std::string& label) { return is_label(label); });
}

bool is_address(std::string_view text) { return base::octets_of_address(text).has_value(); }

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && end == text.data() + text.size() && port >= 1 && port <= kMaxPort;
}

/// UTF-8 characters, not octets: what the upper bounds count.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Whose text behind the scheme names a host, and a port that there is. Nobody is named before the host, which some read as one.
bool is_ldap_host(std::string_view text) {
  const auto host = text.substr(0, text.find_first_of("/?"));
  if (host.empty() || host.find('@') != std::string_view::npos) return false;
  const auto name_end = host.starts_with('[') ? host.find(']') : 0;
  if (name_end == std::string_view::npos) return false;
  const auto colon = host.find(':', name_end);
  if (colon == std::string_view::npos) return true;
  return colon > 0 && is_port(host.substr(colon + 1));
}

}  // namespace

Status check_dn_attribute(std::string_view name, std::string_view value) {
  const auto known = std::ranges::find(kDnAttributes, name, &DnAttribute::name);
  if (known == kDnAttributes.end()) {
    std::vector<std::string> names;
    for (const auto& one : kDnAttributes) names.emplace_back(one.name);
    return unexpected(name, "one of the attributes " + base::join(names, ", "));
  }
  if (value.empty() && name != "CN") return Error(Code::BadConfig, "found an empty " + std::string(name) + ", expected a text");
  if (name == "C" && characters(value) != known->most) return unexpected(value, "a country of two letters (ISO 3166)");
  if (characters(value) > known->most) {
    return unexpected(value,
                      std::string(name) + " of at most " + std::to_string(known->most) + " characters (RFC 5280 appendix A)");
  }
  if (name == "CN" && value.find_first_of("{}$%*") != std::string_view::npos) {
    return unexpected(value, "a common name as it is, or \"\" for the request's; templates are not known");
  }
  return {};
}

Status check_organisation(std::string_view text) { return check_dn_attribute("O", text); }

Status check_name_pattern(std::string_view text) {
  if (base::Network::parse(text).ok()) return check_network(text);
  const auto parsed = base::NamePattern::parse(text);
  if (!parsed.ok()) return Error(Code::BadConfig, parsed.error().message());
  const bool is_all_stars = text.find_first_not_of("*.") == std::string_view::npos;
  if (!is_all_stars && text.find("**") == std::string_view::npos) return {};
  return unexpected(
      text, "a glob like *.example.com, whose asterisks stand for parts of one label each, or .example.com for all below it");
}

Status check_slash_dn(std::string_view text) {
  constexpr std::string_view kExpected = "a DN like /C=FR/O=Company/CN=Company Root CA";
  if (!text.starts_with('/')) return unexpected(text, kExpected);
  std::string part;
  const auto check_part = [&]() -> Status {
    const auto equals = part.find('=');
    if (equals == std::string::npos || equals + 1 == part.size()) return unexpected(text, kExpected);
    return check_dn_attribute(std::string_view(part).substr(0, equals), std::string_view(part).substr(equals + 1));
  };
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '/') {
      PKI_TRY_VOID(check_part());
      part.clear();
      continue;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    part += text[i];
  }
  return check_part();
}

Status check_digest(std::string_view text) {
  if (text != "md5" && text != "sha1") return {};
  return unexpected(text,
                    "sha256, sha384 or sha512: collisions of MD5 and SHA-1 are made on demand (RFC 6151, RFC 8017 appendix B.1)");
}

Status check_address(std::string_view text) {
  if (is_address(text)) return {};
  return unexpected(text, "an IPv4 or IPv6 address");
}

Status check_network(std::string_view text) {
  const auto network = base::Network::parse(text);
  const bool is_mapped = text.find(':') != std::string_view::npos && text.find('.') != std::string_view::npos;
  if (!network.ok() || is_mapped || network->is_mapped()) return unexpected(text, "an address or a network like 10.0.0.0/8");
  const auto whole = network->whole().text();
  if (whole == network->text()) return {};
  return unexpected(text, whole + ", or the address alone");
}

Status check_address_port(std::string_view text) {
  constexpr std::string_view kExpected = "an address and a port like 127.0.0.1:53 or [::1]:53";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return unexpected(text, kExpected);
  auto address = text.substr(0, colon);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (is_address(address) && bracketed == (address.find(':') != std::string_view::npos)) return {};
  return unexpected(text, kExpected);
}

Status check_vantage_point(std::string_view text) {
  constexpr std::string_view kScheme = "tcp://";
  const auto blank = text.find(' ');
  const auto address = text.substr(0, blank);
  const auto colon = address.rfind(':');
  const bool shaped = blank != std::string_view::npos && address.starts_with(kScheme) && colon > kScheme.size();
  const auto host = shaped ? address.substr(kScheme.size(), colon - kScheme.size()) : std::string_view();
  const bool is_there = check_address_port(address.substr(shaped ? kScheme.size() : 0)).ok() ||
                        (is_host_name(host) && is_port(address.substr(colon + 1)));
  if (shaped && is_there && base::is_curve_key(text.substr(blank + 1))) return {};
  return unexpected(text, "tcp://HOST:PORT, a blank and the 40 characters of a public CURVE key, as chancery zmq-key prints it");
}

Status check_host_or_address(std::string_view text) {
  const auto rest = text.starts_with("*.") ? text.substr(2) : text;
  if (is_address(text) || is_host_name(rest)) return {};
  return unexpected(text, "a DNS name or an address");
}

Status check_host_realm(std::string_view text) {
  const auto [host, realm] = split_host_realm(text);
  if (is_host_name(host) && RealmName::parse(realm).ok()) return {};
  return unexpected(text, "a host name and a realm, like pki.example.com=devices");
}

HostRealm split_host_realm(std::string_view text) {
  const auto sign = text.find('=');
  if (sign == std::string_view::npos) return {base::to_lower_ascii(text), ""};
  return {base::to_lower_ascii(text.substr(0, sign)), std::string(text.substr(sign + 1))};
}

Status check_domain(std::string_view text) {
  if (is_host_name(text)) return {};
  return unexpected(text, "a DNS name of letters, digits and hyphens, like example.com");
}

Status check_trust_anchor(std::string_view text) {
  constexpr std::size_t kLeastFields = 7;   // owner, class, type and four of the record's own (RFC 4034 2.2, 5.3)
  constexpr std::uint32_t kMaxTag = 65535;  // a key tag, or flags
  constexpr std::uint32_t kMaxOctet = 255;
  auto fields = base::split(base::trim(text), ' ');
  std::erase(fields, "");
  const auto* const row =
      fields.size() < kLeastFields ? kRecords.end() : std::ranges::find(kRecords, fields[2], &RecordRow::type);
  const bool shaped = row != kRecords.end() && fields[0].ends_with('.') && fields[1] == "IN" && is_number(fields[3], kMaxTag) &&
                      is_number(fields[4], kMaxOctet) && is_number(fields[5], kMaxOctet) &&
                      row->is_rest(fields[5], base::join(std::span(fields).subspan(6), ""));
  const auto owner = shaped ? std::string_view(fields[0]).substr(0, fields[0].size() - 1) : std::string_view();
  if (shaped && (owner.empty() || is_host_name(owner))) return {};
  return unexpected(text, "a DS or DNSKEY record like \"example. IN DS 20326 8 2 e06d…\"");
}

Status check_mail_address(std::string_view text) {
  return base::is_mail_address(text) ? Status() : unexpected(text, "a mail address like pki@example.com");
}

Status check_url(std::string_view text) {
  const auto scheme = text.starts_with("http://") ? 7U : text.starts_with("https://") ? 8U : 0U;
  const bool printable =
      std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>'; });
  if (scheme != 0 && text.size() > scheme && text[scheme] != '/' && printable) return {};
  return unexpected(text, "a URL like http://pki.example.com/crl.der");
}

Status check_ldap_url(std::string_view text) {
  for (const std::string_view scheme : {"ldap://", "ldaps://"}) {
    if (text.starts_with(scheme) && is_ldap_host(text.substr(scheme.size()))) return {};
  }
  if (text.starts_with("ldapi://") && text.size() > 8) return {};
  const bool is_web = text.starts_with("http://") || text.starts_with("https://");
  return unexpected(text, std::string("ldaps://HOST, ldap://HOST or ldapi://%2Fpath%2Fof%2Fsocket") +
                              (is_web ? ": LDAP is spoken there, not HTTP, so write the LDAP server's URL" : ""));
}

bool is_of_this_machine(std::string_view url) {
  if (url.starts_with("ldapi://")) return true;
  auto host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (host.find('@') != std::string_view::npos) return false;
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return host == "localhost" || (host.starts_with("127.") && check_address(host).ok());
}

Status check_realm(std::string_view text) {
  if (RealmName::parse(text).ok()) return {};
  return unexpected(text, "a realm's name: a-z 0-9 - _, a letter or digit first, at most 63");
}

Status check_realm_or_all(std::string_view text) {
  if (text == "*") return {};
  return check_realm(text);
}

Status check_curve_key(std::string_view text) {
  if (base::is_curve_key(text)) return {};
  return Error(Code::Malformed, "found " + std::to_string(text.size()) +
                                    " characters, expected the 40 of a public CURVE key in Z85, as chancery zmq-key prints it");
}

Status check_name(std::string_view text) {
  if (RealmName::parse(text).ok()) return {};
  return unexpected(text, "a name of a-z 0-9 - _, a letter or digit first, at most 63");
}

Status check_account(std::string_view text) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '$'; };
  if (!text.empty() && text.size() <= kMaxAccountOctets && text[0] != '-' && std::ranges::all_of(text, allowed)) return {};
  return unexpected(text, "the name or number of a Unix user or group");
}

Status check_program(std::string_view text) {
  const bool is_absolute = text.starts_with('/');
  const bool is_file_name = text.find('/') == std::string_view::npos && text != "." && text != "..";
  if (is_absolute || is_file_name) return {};
  return unexpected(text, "a file name in the program directory, or an absolute path");
}

Status check_absolute_path(std::string_view text) {
  return text.starts_with('/') ? Status() : unexpected(text, "an absolute path");
}

Status check_log_destination(std::string_view text) {
  if (text == "stderr" || text == "syslog" || text.starts_with('/')) return {};
  return unexpected(text, "stderr, syslog, or the absolute path of a file");
}

}  // namespace chancery::config
