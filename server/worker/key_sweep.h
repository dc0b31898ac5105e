#pragma once

#include "server/worker/session.h"

namespace chancery::worker {

/// Revokes a certificate whose key was reported, unless somebody has meanwhile. @errors the store's; Io, Unavailable: the
/// journal.
Status revoke_for_its_key(Session& session, const Serial& serial);

/// Revokes, for keyCompromise, what else was certified of keys that were reported compromised: whoever has the key has them all
/// (CA/Browser Forum Baseline Requirements 4.9.1.1). One walk over the living certificates for all keys reported since the last;
/// nothing to do costs one look. A walk that is cut off begins anew.
/// @errors the store's; Io, Unavailable: the journal.
Status sweep_compromised_keys(Session& session);

}  // namespace chancery::worker
