#pragma once

#include <filesystem>

#include "server/base/fd.h"

namespace chancery::master {

/// Holds a descriptor that somebody else opened against what the main socket must be: a listening Unix stream socket bound to
/// `path` (PROMISES D26). @errors BadConfig: what it is instead.
Status check_listener(int descriptor, const std::filesystem::path& path);

/// Closes what whoever started the master left open, but 0, 1, 2 and the descriptors that systemd passed; no child gets any.
void close_inherited();

/// The main socket that systemd passed (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)), or an empty descriptor when it passed none.
/// The variables are taken out of the environment. @errors BadConfig: more than one descriptor, or another than check_listener
/// wants.
Result<base::UniqueFd> take_activated_socket(const std::filesystem::path& path);

}  // namespace chancery::master
