#pragma once

#include <string>
#include <vector>

#include "server/config/server_config.h"

namespace chancery::config {

/// What changes from one configuration to the other, in words, one line each, in the order of the settings tables; a setting
/// that does not count at the next SIGHUP says when it does. Nothing: the two mean the same.
std::vector<std::string> differences(const Snapshot& before, const Snapshot& after);

}  // namespace chancery::config
