#pragma once

#include "clients/zmq/settings.h"

namespace chancery::zmq_gateway {

/// Serves both ports of every endpoint in threads of their own, which end with the process.
/// @param settings  live as long as the process. @errors BadConfig, Io: an address; those of read_key_file.
Status serve(const Settings& settings);

}  // namespace chancery::zmq_gateway
