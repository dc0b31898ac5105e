#pragma once

#include <string>

#include "server/config/server_config.h"

namespace chancery::config {

/// Whether the main socket's owner, group and mode let that user connect, once a server that root started has made it.
/// Of a user that this machine does not know: true, that is another finding.
bool may_connect(const ServerConfig& server, const std::string& user);

}  // namespace chancery::config
