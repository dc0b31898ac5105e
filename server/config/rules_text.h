#pragma once

#include <string>
#include <vector>

#include "server/config/realm_config.h"

/// What of a realm a request for a change of rules is about: its policy with what that goes by, who has to approve the next one,
/// and, while somebody has to, who people are, what they may, and who approves rollovers.
namespace chancery::config {

/// All of it as one text, the same for the same values, however the file writes them: people approve its digest.
std::string rules_text(const RealmConfig& realm);

/// What changes of it, in words, one line each; empty: nothing.
std::vector<std::string> rule_differences(const RealmConfig& before, const RealmConfig& after);

/// What `requests` says of rollovers, and nothing else of it.
void take_rollover_rules(const RequestsConfig& from, RequestsConfig& to);

/// Files that rules name, from names below the realm's directory to whole ones.
void resolve_rule_paths(RealmConfig& realm);

}  // namespace chancery::config
