#pragma once

#include "server/worker/session.h"

namespace chancery::worker {

/// What requests need as time goes by, a bounded number of each: those whose time is over expire, those that were cut off are
/// brought to an end, approvers are reminded of those that wait, and those that ended long ago are deleted.
Status look_after_requests(Session& session);

}  // namespace chancery::worker
