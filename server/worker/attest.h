#pragma once

#include "server/worker/params.h"
#include "server/worker/session.h"

/// Whom a front end acts for (session.attest): it says so with evidence, and what that one may do is decided here, by the realm's
/// own tables (DESIGN 4).
namespace chancery::worker {

/// Who is any program of this machine, without a key: nobody in particular.
inline constexpr std::string_view kLoopbackPeer = "loopback";

/// Whether a certificate still gives what its profile does: an RA's only while its node is that.
Result<bool> profile_stands(Session& session, const store::CertificateRecord& record);

/// session.attest. @errors Denied: no front end; InvalidParams: not the evidence's own parameter; AuthFailed: it holds for
/// nobody, and the session is for nobody.
Result<Json> attest(Session& session, const Params& params);

/// Before each command of an attested session: the certificate must still live, and what its holder may do is looked up anew.
/// @errors AuthFailed: it holds no longer; the session is for nobody. @pre session.is_attested()
Status check_attestation_holds(Session& session);

}  // namespace chancery::worker
