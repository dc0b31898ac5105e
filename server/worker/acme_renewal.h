#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/worker/session.h"
#include "server/x509/general_name.h"

/// Renewal information (RFC 9773): which certificate a text means, and which certificate an order replaces.
namespace chancery::worker {

/// The certificate that an identifier of RFC 9773 4.1 means: base64url of its authority key identifier, a dot, base64url of its
/// serial number as DER has it.
/// @errors acme:malformed: another form; NotFound: the realm has no such certificate.
Result<store::CertificateRecord> certificate_of_id(store::Store& store, const std::string& id);

/// A new order that names a certificate which it replaces.
struct Replacing {
  std::string account;
  const std::vector<x509::GeneralName>& names;
  std::string certificate_id;
};

/// Whether it may (RFC 9773 5): the certificate is its account's, or has exactly its names, and they have a name in common.
/// @errors acme:malformed: no such certificate, or no name in common; acme:unauthorized: another account's.
Status check_replacement(store::Store& store, const Replacing& order);

}  // namespace chancery::worker
