#pragma once

#include <map>
#include <set>

#include "server/worker/revocation.h"

namespace chancery::worker {

/// The last change of each certificate's state that the journal allows: what the store has to say of it. What may belong to a
/// request in hand is left out.
/// @param in_hand  gets the serials of what was left out
Result<std::map<Serial, StateChange>> last_changes(Session& session, std::set<Serial>* in_hand = nullptr);
/// The state that a change leads to.
store::CertificateState state_after(const StateChange& change);

}  // namespace chancery::worker
