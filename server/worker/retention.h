#pragma once

#include "server/worker/session.h"

/// Certificates that have ended leave the store after the realm's retention (PROMISES I28, B14, Q15); the journal keeps it.
namespace chancery::worker {

/// Until when certificates may have ended and be missing in the store without a fault: whoever holds the store against the
/// journal asks this. 1970: none was forgotten.
Result<Seconds> purged_until(store::Store& store, Seconds now);

/// Whether anything may be forgotten because its time is over: not for a day after the clock was seen first, or jumped (PROMISES
/// F17).
Result<bool> may_forget(store::Store& store, Seconds now);

/// One batch of certificates. What a CRL still has to show, and what the realm's CAs certified for each other, stays.
/// @return how many went
Result<std::int64_t> purge_ended(Session& session, store::Store& store);

}  // namespace chancery::worker
