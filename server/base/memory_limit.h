#pragma once

#include <cstddef>

namespace chancery::base {

/// The seat belt of a process that reads a stranger's octets behind a guard which counts them: no more addresses than this, and
/// few of malloc's arenas, each of which reserves 64 MB of them. Never fails: whoever may not has a limit already.
void limit_memory(std::size_t most_octets);

}  // namespace chancery::base
