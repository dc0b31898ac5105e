#pragma once

#include "server/config/server_config.h"

namespace chancery::worker {

/// After this, the process reaches one realm's store and nodes and the public files of its CA only, and reads what programs need
/// of the system; where the kernel has no Landlock (before 5.13) nothing changes and the log says so once. Sockets are not files
/// to Landlock: the signers guard their own.
void confine_to_realm(const config::RealmConfig& realm, const config::ServerConfig& server);

}  // namespace chancery::worker
