#pragma once

#include "server/worker/params.h"
#include "server/worker/session.h"

/// Whom a front end acts for (session.attest): it says so with evidence, and what that one may do is decided here, by the realm's
/// own tables (DESIGN 4).
namespace chancery::worker {

/// session.attest. @errors Denied: no front end; InvalidParams: not the evidence's own parameter; AuthFailed: it holds for
/// nobody, and the session is for nobody.
Result<Json> attest(Session& session, const Params& params);

/// Before each command of an attested session: the certificate must still live, and what its holder may do is looked up anew.
/// @errors AuthFailed: it holds no longer; the session is for nobody. @pre session.is_attested()
Status check_attestation_holds(Session& session);

}  // namespace chancery::worker
