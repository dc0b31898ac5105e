#pragma once

#include <set>
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

/// Whether the account holds a valid authorization, proved and not granted, for each of the certificate's names.
Result<bool> holds_all_names(store::Store& store, const std::string& account, const x509::Certificate& certificate, Seconds now);

/// Whether it may (RFC 9773 5): the certificate is its account's, or the account has proved all of its names; and they have a
/// name in common.
/// @errors acme:malformed: no such certificate, or no name in common; acme:unauthorized: another account's.
Status check_replacement(store::Store& store, const Replacing& order, Seconds now);

/// The names of which there may be more certificates than the policy says, for one is to be renewed: those of the certificate,
/// once its suggested window has begun, or it is revoked. None: it is not due, or there is none.
/// @errors acme:malformed, those of the store.
Result<std::set<x509::GeneralName>> names_due(Session& session, store::Store& store, const std::string& id);

}  // namespace chancery::worker
