#pragma once

#include <sys/types.h>

#include <string>

#include "server/base/file.h"
#include "server/base/result.h"

/// Whose the parts of a realm's directory are, where signers and workers are users of their own (DESIGN 2, PROMISES D31).
namespace chancery::signer {

struct Owners {
  std::string signer;  ///< Unix user, name or number; empty: whoever makes the realm
  std::string worker;
};

/// That both users are there and may be given files. @errors NotFound; Denied: only root gives files away.
Status check_owners(const Owners& owners);

/// That both users can come to a directory through those above it. @errors Denied: one of them is closed to all but its owner.
Status check_way(const base::Path& directory, const Owners& owners);

/// Gives the database and the nodes to the workers, everything else to the signer, and lets the workers through to theirs.
/// Links are given themselves, never followed. @errors NotFound, Io.
Status give_away(const base::Path& directory, const Owners& owners);

}  // namespace chancery::signer
