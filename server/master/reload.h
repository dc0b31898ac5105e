#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/config/server_config.h"

namespace chancery::master {

/// A new configuration as far as a running server can follow it.
struct Followed {
  std::shared_ptr<const config::Snapshot> snapshot;  ///< settings that count at the next start only are still the old ones
  std::vector<std::string> at_next_start;            ///< the names of those that are other ones in the file
};
Followed follow(const config::Snapshot& running, const config::Snapshot& fresh);

}  // namespace chancery::master
