#pragma once

#include "server/store/store.h"

namespace chancery::worker {

/// What an order has become, as bring_up_to_date, without writing it. @return whether what is stored says otherwise.
Result<bool> follow(store::Store& store, store::AcmeOrder& order, Seconds now);

}  // namespace chancery::worker
