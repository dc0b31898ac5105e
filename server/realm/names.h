#pragma once

#include <string>
#include <vector>

#include "server/realm/policy.h"

/// Which names a certificate will carry.
namespace chancery::realm {

/// The subject that the certificate gets: the request's or the profile's, with the request's common name, or without one the
/// first DNS name that fits into 64 characters (X.520 ub-common-name); or, by the profile, without a common name.
x509::Name subject_for(const Wish& wish);

/// The SANs that the certificate gets: those asked for, each once, and what the common name says when a verifier could take it
/// for a host's name (PROMISES C14: the common name is among the SANs).
std::vector<x509::GeneralName> sans_for(const Wish& wish, const x509::Name& subject);

/// "dns", "ip", "email", "uri": the words of Profile::san_types.
std::string_view type_word(const x509::GeneralName& name);

/// uPKI's list (UPKI.md 1.3): names that mean a machine to itself. Private PKIs do certify names below .internal, .lan or
/// .localhost.
bool is_reserved(const x509::GeneralName& name);

/// The first of the names that is reserved. A common name counts where it could be a server's.
std::optional<std::string> reserved_name(const config::Profile& profile, const x509::Name& subject,
                                         const std::vector<x509::GeneralName>& sans);

/// What is wrong with the names, or an empty text.
std::string fault_in_names(const config::Profile& profile, const Authority& authority, const x509::Name& subject,
                           const std::vector<x509::GeneralName>& sans);

/// Which name a CA's certificate forbids, the realm's CA or one above it (RFC 5280 4.2.1.10), or an empty text.
std::string fault_against_constraints(const config::Profile& profile, const Authority& authority, const x509::Name& subject,
                                      const std::vector<x509::GeneralName>& sans);

}  // namespace chancery::realm
