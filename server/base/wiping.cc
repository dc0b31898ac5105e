#include "server/base/wiping.h"

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

#ifndef __SANITIZE_ADDRESS__  // which has operators of its own

namespace {
bool is_wiping = false;
}

void chancery::base::wipe_freed_memory() { is_wiping = true; }

void* operator new(std::size_t octets) {
  for (;;) {
    if (void* memory = std::malloc(octets == 0 ? 1 : octets)) return memory;
    const auto handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void operator delete(void* memory) noexcept {
  if (is_wiping && memory != nullptr) ::explicit_bzero(memory, ::malloc_usable_size(memory));
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*octets*/) noexcept { operator delete(memory); }

#else

void chancery::base::wipe_freed_memory() {}

#endif
