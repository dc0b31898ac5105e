#pragma once

#include <vector>

#include "server/config/server_config.h"
#include "server/worker/key_pool.h"

namespace chancery::worker {

/// What the keymaker shall keep ready under a configuration.
struct KeyDemand {
  std::size_t size = 0;                 ///< pairs of each kind
  std::vector<KeyPool::Kind> kinds;     ///< of the largest ones, the smallest, soonest made, first; empty: no keymaker is needed
  std::vector<base::KeySpec> left_out;  ///< kinds above Scoreboard::kMaxKeyKinds
};

/// RSA pairs of the sizes that the realms' profiles have for generated keys. Others are made faster than they are fetched.
KeyDemand key_demand(const config::Snapshot& snapshot);

}  // namespace chancery::worker
