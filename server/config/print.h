#pragma once

#include <string>

#include "server/config/server_config.h"

/// The effective configuration as text that parses back to itself.
namespace chancery::config {

/// The server's part as XML: every setting, the defaults included, and absolute paths.
std::string print_config(const Snapshot& snapshot);
std::string print_server(const ServerConfig& server);

/// A realm as one ca.config.yml: every setting, and every profile below `profiles:`.
std::string print_realm(const RealmConfig& realm);

/// A profile as the content of profiles/<name>.yml.
std::string print_profile(const Profile& profile);

}  // namespace chancery::config
