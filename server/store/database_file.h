#pragma once

#include "server/base/file.h"

/// The file of a database, before the engine sees it.
namespace chancery::store {

/// PROMISES F14: filesystems whose locks do not reach everybody. WAL needs shared memory, too.
Status check_filesystem(const base::Path& file);

/// Makes the file ourselves, for its mode. O_EXCL: a file that is there already is never opened here, for closing it again
/// would drop the locks that SQLite has on it (PROMISES D21).
Status make_file(const base::Path& file);

/// PROMISES D33, F9.
Status check_file(const base::Path& file);

}  // namespace chancery::store
