#pragma once

#include <optional>

#include "server/worker/session.h"

/// The journal is the record of issuing, the store follows it (DESIGN 1).
namespace chancery::worker {

/// A record this young may belong to a request in hand, whose worker is about to store it with more than the journal knows; one
/// from before the server's start does not.
bool may_be_in_hand(const Session& session, Seconds at);

/// Brings a journalled certificate to a store that lacks it. @return its serial, when it did.
Result<std::optional<Serial>> store_if_missing(store::Store& store, const signer::JournalRecord& record);

}  // namespace chancery::worker
