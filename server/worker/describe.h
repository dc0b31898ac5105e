#pragma once

#include "server/wire/json.h"
#include "server/worker/session.h"

/// Results that several commands give, in the shapes of command_lists.h.
namespace chancery::worker {

/// A CA as ca.get shows it; waiting and broken ones have a state instead of a certificate.
/// @param generation  null: the realm's first CA, which cannot be read
Json describe_ca(Session& session, const realm::Generation* generation);
/// What a certificate of a CA or a service adds to those fields.
void add_certificate(Json& out, const x509::Certificate& certificate);
/// The generation that issues for the realm's first CA.
Json describe_ca(Session& session);

/// The chain above a certificate: the CA and those above it, PEM texts.
Json chain_of(const realm::Authority& authority);

/// Adds `chain`, and `alternates` where a rollover gave the certificate other ways to a root.
/// @errors NotFound: no CA of this realm signed it.
Status add_chains(Session& session, const x509::Certificate& certificate, Json& out);
/// The same of one that is stored, which is not read where its CA is known by name.
Status add_chains(Session& session, const store::CertificateRecord& record, Json& out);

/// kIssued's fields of a certificate. @errors as add_chains.
Result<Json> describe_issued(Session& session, const x509::Certificate& certificate, const std::string& profile);

/// "valid", "revoked", "held" or "expired".
std::string state_of(const store::CertificateRecord& record, Seconds now);

/// A row of certificate.search; certificate.get adds the certificate's own fields.
Json describe_record(const store::CertificateRecord& record, Seconds now);

std::vector<std::string> san_texts(const std::vector<x509::GeneralName>& sans);

}  // namespace chancery::worker
