#pragma once

#include <memory>

#include "server/config/server_config.h"

namespace chancery::master {

/// Where the server was started in the foreground of a terminal, a process of its own asks there for the passphrases that one
/// person types (`secret: method: prompt`), one realm after the other, and enters them over the socket as anybody would: the
/// master reads no secret. Elsewhere nobody is asked, and `chancery realm unlock` opens the realms.
void ask_at_terminal(const std::shared_ptr<const config::Snapshot>& snapshot);

}  // namespace chancery::master
