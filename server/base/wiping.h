#pragma once

namespace chancery::base {

/// From here on what this process frees with delete, so every text and buffer of the standard library, is overwritten first:
/// secrets pass through many of them on their way from a socket to where they are used (PROMISES D36).
void wipe_freed_memory();

}  // namespace chancery::base
