#pragma once

#include "server/worker/session.h"

/// Administrators by certificate (session.login).
namespace chancery::worker {

/// The certificate must be this realm's own, valid now, and its DN on the realm's list of administrators.
/// @errors AuthFailed; BadSignature and what the store says.
Status check_administrator(Session& session, const x509::Certificate& certificate);

/// Before each command: a login ends with its certificate, or with its place on the list.
/// @errors AuthFailed: it just ended; the session goes on as what session.open made it.
Status check_login_holds(Session& session);

}  // namespace chancery::worker
