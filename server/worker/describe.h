#pragma once

#include "server/wire/json.h"
#include "server/worker/session.h"

/// Results that several commands give, in the shapes of command_lists.h.
namespace chancery::worker {

/// A CA as ca.get shows it; waiting and broken ones have a state instead of a certificate.
Json describe_ca(Session& session);

/// The chain above a certificate: the CA and those above it, PEM texts.
Json chain_of(const realm::Authority& authority);

/// kIssued's fields of a certificate.
Json describe_issued(const x509::Certificate& certificate, const std::string& profile, const realm::Authority& authority);

/// "valid", "revoked", "held" or "expired".
std::string state_of(const store::CertificateRecord& record, Seconds now);

/// A row of certificate.search; certificate.get adds the certificate's own fields.
Json describe_record(const store::CertificateRecord& record, Seconds now);

std::vector<std::string> san_texts(const std::vector<x509::GeneralName>& sans);

}  // namespace chancery::worker
