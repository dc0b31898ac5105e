#pragma once

#include "server/base/file.h"
#include "server/crypto/shares.h"

namespace chancery::crypto {

/// DIRECTORY/REALM-share-INDEX.txt
base::Path share_file(const base::Path& directory, std::string_view realm, int index);

/// Each share as a line in a file of mode 0600. The directory is made, its parent is not.
/// @return the files. @errors Exists: a share of that realm is there; NotFound, Io.
Result<std::vector<base::Path>> write_share_files(const base::Path& directory, const std::vector<Share>& shares);

/// The shares of a realm that an earlier run left there, from the first on; none: there are none.
/// @errors Malformed: one of them is no share; Denied, Io.
Result<std::vector<Share>> read_share_files(const base::Path& directory, std::string_view realm);

}  // namespace chancery::crypto
