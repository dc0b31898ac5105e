#pragma once

#include <optional>

#include "server/worker/session.h"

/// The journal is the record of issuing, the store follows it (DESIGN 1).
namespace chancery::worker {

/// A record this young may belong to a request in hand, whose worker is about to store it with more than the journal knows; one
/// from before the server's start does not.
bool may_be_in_hand(const Session& session, Seconds at);
/// The same of a record; what another program did is never in hand here.
bool may_be_in_hand(const Session& session, const signer::JournalRecord& record);
bool may_be_in_hand(const Session& session, const Json& event);

/// The serial of a record, whoever issued it. @errors those of x509::Certificate::from_der.
Result<Serial> serial_of(const signer::JournalRecord& record);

/// Brings a journalled certificate to a store that lacks it. @return its serial, when it did.
Result<std::optional<Serial>> store_if_missing(store::Store& store, const signer::JournalRecord& record);

}  // namespace chancery::worker
