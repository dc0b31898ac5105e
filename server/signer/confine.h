#pragma once

#include "server/config/realm_config.h"

/// What the one process that holds the key may still do (PROMISES D34).
namespace chancery::signer {

/// Files: of its realm's directory only. Call before there are threads, since each thread has its own rules (landlock(7)).
void confine_files(const config::RealmConfig& realm, const std::string& log_destination);

/// System calls: those that signing, journalling, reloading and ending take. Anything else kills the process, and a new socket is
/// refused: it has no network. Call when all threads are there; it reaches all of them. @errors Io.
Status confine_calls();

}  // namespace chancery::signer
