#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/config/finding.h"
#include "server/config/realm_config.h"

namespace chancery::worker {

/// The realm as another ca.config.yml would have it, without the profiles' own files, which stay as they are.
/// @param findings  gets what is found, tests of the policy that fail among it. @return none: one of them is an error
std::optional<config::RealmConfig> realm_with_rules(const config::RealmConfig& realm, const std::string& text,
                                                    std::vector<config::Finding>& findings);

}  // namespace chancery::worker
