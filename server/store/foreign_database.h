#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "server/base/result.h"

namespace chancery::store {

/// Whether a query of somebody else's SQLite database gives a row. The file is opened to read alone.
///
/// @param query  one SELECT; what follows a colon is bound to the value of that name
/// @errors Unavailable: no such file, no SQLite database, a statement that is none or changes something, a variable without a
/// value, or not within the time.
Result<bool> foreign_database_knows(const std::string& file, const std::string& query,
                                    const std::vector<std::pair<std::string, std::string>>& values,
                                    std::chrono::milliseconds limit);

}  // namespace chancery::store
