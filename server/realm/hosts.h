#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/config/realm_config.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

/// What in a certificate a verifier may take for a host's name. Many look at common names when there is no alternative name, some
/// at every common name, some always (RFC 9525 says that they should not; RFC 2818 3.1 that they must).
namespace chancery::realm {

/// The profile names servers in so many words: serverAuth.
bool is_for_servers(const config::Profile& profile);

/// A verifier takes the profile's certificates for a server's: is_for_servers, or no purpose is named, which allows every one
/// (RFC 5280 4.2.1.12), and the key may be used in TLS.
bool may_serve(const config::Profile& profile);

/// The part of a common name that could be a host's: what follows the last slash, since host/www.example.org is what a grid calls
/// a service. Empty when nothing in it could be, because a character is in no host name: a space, an apostrophe, ...
/// Underscores, wildcards, trailing dots and letters beyond ASCII are in no DNS name either, but verifiers compare them.
std::string_view host_in(std::string_view common_name);

/// Whether it could be, in a certificate of that profile: a name without any dot only where servers are meant, since everywhere
/// else it is a person's or a device's.
bool could_be_host(const config::Profile& profile, std::string_view common_name);

/// The alternative name that says the same as a common name; none when no such one is possible.
std::optional<x509::GeneralName> as_host(std::string_view common_name);

/// Whether a DNS name lies at or below the domain.
bool lies_below(std::string_view dns_name, std::string_view domain);

/// What of the subject and the alternative names lies outside the profile's domain, or an empty text; always empty for a profile
/// without a domain. Of e-mail addresses and URIs the host counts; an IP address lies in no domain.
std::string fault_against_domain(const config::Profile& profile, const x509::Name& subject,
                                 const std::vector<x509::GeneralName>& sans);

}  // namespace chancery::realm
