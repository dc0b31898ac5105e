#pragma once

namespace chancery::store {

/// For a database that calls when its write lock is taken (sqlite.org/c3ref/busy_handler.html): waits a little.
/// @param attempts  so far @return 0: it has been long enough, let the statement fail
int wait_for_lock(void* context, int attempts);

}  // namespace chancery::store
