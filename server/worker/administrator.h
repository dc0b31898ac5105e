#pragma once

#include "server/worker/session.h"

/// Administrators by certificate (session.login).
namespace chancery::worker {

/// The certificate must be this realm's own, in its store, valid now and not revoked.
/// @return its record. @errors AuthFailed; what the store says.
Result<store::CertificateRecord> check_living(Session& session, const x509::Certificate& certificate);

/// Whether the realm's list of administrators has that DN, in slash form.
Result<bool> is_administrator(Session& session, const std::string& dn);

/// The certificate must be this realm's own, valid now, and its DN on the realm's list of administrators.
/// @errors AuthFailed; what the store says.
Status check_administrator(Session& session, const x509::Certificate& certificate);

/// Before each command: a login ends with its certificate, or with its place on the list; an attestation with what it stands on.
/// @errors AuthFailed: it just ended; after a login the session goes on as what session.open made it, after an attestation it is
/// for nobody.
Status check_login_holds(Session& session);

}  // namespace chancery::worker
