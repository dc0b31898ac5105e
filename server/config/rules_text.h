#pragma once

#include <string>
#include <vector>

#include "server/config/realm_config.h"

/// What of a realm a request for a change of rules is about: its policy with what that goes by, and who has
/// to approve the next one.
namespace chancery::config {

/// All of it as one text, the same for the same values, however the file writes them: people approve its digest.
std::string rules_text(const RealmConfig& realm);

/// What changes of it, in words, one line each; empty: nothing.
std::vector<std::string> rule_differences(const RealmConfig& before, const RealmConfig& after);

}  // namespace chancery::config
