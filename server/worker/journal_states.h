#pragma once

#include <map>

#include "server/worker/revocation.h"

namespace chancery::worker {

/// The last change of each certificate's state that the journal allows: what the store has to say of it. What may belong to a
/// request in hand is left out.
Result<std::map<Serial, StateChange>> last_changes(Session& session);
/// The state that a change leads to.
store::CertificateState state_after(const StateChange& change);

}  // namespace chancery::worker
