#pragma once

#include <string>

#include "server/config/realm_config.h"

/// Which rules a realm may be started or reloaded with, where people have to approve them (doc/four-eyes.md). The store keeps the
/// digest of those in force, and which request has the next ones approved.
namespace chancery::worker {

inline constexpr const char* kRulesInForce = "rules_in_force";   ///< "DIGEST APPROVALS"; empty: nobody approves any
inline constexpr const char* kRulesApproved = "rules_approved";  ///< a request's id; empty: none

/// SHA-256 of config::rules_text, hex.
std::string rules_digest(const config::RealmConfig& realm);

}  // namespace chancery::worker
