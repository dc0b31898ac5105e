#pragma once

#include <string>

#include "clients/acme/challenge.h"
#include "server/base/bytes.h"
#include "server/x509/general_name.h"

/// What tls-alpn-01 looks for, without connecting to anybody.
namespace chancery::acme {

/// The SNI of a name: itself, and for an address its name in the reverse zones (RFC 8738 6).
std::string server_name_for(const std::string& name);

/// The certificate is signed by its own key, is for that one name and no other, and its critical acmeIdentifier is the digest
/// (RFC 8737 3). Its dates, serial and usages do not matter.
/// @param key_authorization_digest  SHA-256 of the key authorization
/// @errors incorrectResponse: what was found, what was expected.
Status check_acme_certificate(ByteView der, const x509::GeneralName& name, ByteView key_authorization_digest);

}  // namespace chancery::acme
