#pragma once

#include "server/base/result.h"

namespace chancery::base {

/// Moves this program's own code from the file's pages to huge pages of memory that children share. A forked worker else finds
/// none of its code mapped, and takes a fault for every 64 KiB of it that it comes to: a quarter of what a connection costs.
///
/// For a program linked with its segments at the bounds of huge pages (configure.ac), before it makes threads.
/// @errors Unavailable: not linked so, no huge pages on this machine, or a rule against code in writable memory; nothing has
/// changed then.
Status move_code_to_huge_pages();

}  // namespace chancery::base
