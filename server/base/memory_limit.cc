#include "server/base/memory_limit.h"

#include <malloc.h>
#include <sys/resource.h>

namespace chancery::base {

void limit_memory([[maybe_unused]] std::size_t most_octets) {
  constexpr int kMallocArenas = 2;
#ifndef __SANITIZE_ADDRESS__  // whose shadow takes terabytes of addresses
  const rlimit memory{most_octets, most_octets};
  ::setrlimit(RLIMIT_AS, &memory);
#endif
  ::mallopt(M_ARENA_MAX, kMallocArenas);
}

}  // namespace chancery::base
