#pragma once

#include "server/worker/session.h"

/// What has ended leaves the store after the realm's retention (PROMISES I28, B14, Q15); the journal keeps it.
namespace chancery::worker {

/// Until when certificates may have ended and be missing in the store without a fault: whoever holds the store against the
/// journal asks this. 1970: none was forgotten.
Result<Seconds> purged_until(store::Store& store);

struct Purged {
  std::int64_t certificates = 0;
  std::int64_t requests = 0;
};
/// One batch. What a CRL still has to show, and what the realm's CAs certified for each other, stays.
Result<Purged> purge_ended(Session& session, store::Store& store);

}  // namespace chancery::worker
