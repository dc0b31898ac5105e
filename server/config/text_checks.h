#pragma once

#include <array>
#include <string_view>

#include "server/base/result.h"

/// What single texts in a configuration must look like. Each says in its error what was found and what was expected.
namespace chancery::config {

/// An attribute of a distinguished name and its most characters (RFC 5280 appendix A.1, upper bounds).
struct DnAttribute {
  std::string_view name;
  std::size_t most;
};
inline constexpr std::array kDnAttributes{
    DnAttribute{"C", 2},
    DnAttribute{"ST", 128},
    DnAttribute{"L", 128},
    DnAttribute{"street", 128},
    DnAttribute{"O", 64},
    DnAttribute{"OU", 64},
    DnAttribute{"CN", 64},
    DnAttribute{"title", 64},
    DnAttribute{"SN", 40},
    DnAttribute{"GN", 16},
    DnAttribute{"DC", 63},
    DnAttribute{"UID", 255},
    DnAttribute{"postalCode", 40},
    DnAttribute{"serialNumber", 64},
    DnAttribute{"emailAddress", 255},
};
/// One attribute of a name; an empty value is fine for CN only ("from the request").
Status check_dn_attribute(std::string_view name, std::string_view value);
Status check_organisation(std::string_view text);  ///< an O that fits into a name
/// "/C=FR/O=Company/CN=x"; '/' and '\' in values are escaped with '\'.
Status check_slash_dn(std::string_view text);

Status check_digest(std::string_view text);           ///< refuses MD5 and SHA-1 by name; the words of the row say the rest
Status check_address(std::string_view text);          ///< IPv4 or IPv6 literal
Status check_network(std::string_view text);          ///< an address, or one with a prefix length: "10.0.0.0/8"
Status check_address_port(std::string_view text);     ///< "127.0.0.1:53", "[::1]:53"
Status check_host_or_address(std::string_view text);  ///< of a server certificate; a wildcard label may lead
Status check_host_realm(std::string_view text);       ///< "pki.example.com=devices": a host name and a realm
Status check_domain(std::string_view text);           ///< DNS name of letters, digits and hyphens
Status check_trust_anchor(std::string_view text);     ///< a DS or DNSKEY record: "example. IN DS 20326 8 2 e06d…"
Status check_name_pattern(std::string_view text);     ///< base::NamePattern
Status check_mail_address(std::string_view text);
Status check_url(std::string_view text);           ///< http:// or https://, printable ASCII
Status check_ldap_url(std::string_view text);      ///< ldap://, ldaps:// or ldapi://
bool is_of_this_machine(std::string_view url);     ///< ldapi://, or at an address of loopback
Status check_realm(std::string_view text);         ///< a realm's name
Status check_realm_or_all(std::string_view text);  ///< that or "*"
Status check_name(std::string_view text);          ///< of a front end or listener: as a realm's
/// "tcp://HOST:PORT KEY": a name or address, IPv6 in brackets, and a public CURVE key.
Status check_vantage_point(std::string_view text);
Status check_curve_key(std::string_view text);  ///< Z85 text of 32 octets (ZeroMQ RFC 32): 40 characters
Status check_account(std::string_view text);    ///< Unix user or group: name or number
Status check_program(std::string_view text);    ///< a file name, or an absolute path
Status check_absolute_path(std::string_view text);
Status check_log_destination(std::string_view text);  ///< stderr, syslog or an absolute path

}  // namespace chancery::config
