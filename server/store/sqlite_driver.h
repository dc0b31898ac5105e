#pragma once

#include "server/base/file.h"
#include "server/store/driver.h"

namespace chancery::store {

/// Opens one SQLite file, or makes it with mode 0600. WAL: what settle() said is on the disk.
///
/// @errors Denied: the file belongs to somebody else, or others may reach it; Corrupt: it is no SQLite database, or another
/// program's; Unsupported: the filesystem has no locks (PROMISES F14); Unavailable: it cannot be opened or made.
Result<DriverPtr> open_sqlite_driver(const base::Path& file);

/// Opens the file to read from it alone, as it is. @return null when there is none yet, or an empty one.
/// @errors as open_sqlite_driver.
Result<DriverPtr> look_at_sqlite(const base::Path& file);

/// A database that nobody else sees and that ends with its driver, for tests.
Result<DriverPtr> open_memory_driver();

}  // namespace chancery::store
