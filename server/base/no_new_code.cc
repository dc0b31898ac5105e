#include "server/base/no_new_code.h"

#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "server/base/syscall_filter.h"

namespace chancery::base {

Status forbid_new_code() {
  using enum CallRule::When;
  constexpr int kProtection = 2;  // the third argument of each
  const CallFilter filter({
      {SYS_mmap, EPERM, BitsSet, kProtection, PROT_WRITE | PROT_EXEC},
      {SYS_mprotect, EPERM, BitsSet, kProtection, PROT_EXEC},
      {SYS_pkey_mprotect, EPERM, BitsSet, kProtection, PROT_EXEC},
      {SYS_shmat, EPERM, BitsSet, kProtection, SHM_EXEC},
  });
  return filter.install();
}

}  // namespace chancery::base
