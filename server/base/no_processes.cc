#include "server/base/no_processes.h"

#include <linux/sched.h>
#include <sys/syscall.h>

#include "server/base/syscall_filter.h"

namespace chancery::base {
namespace {

const CallFilter kNoProcesses({
#ifdef SYS_fork  // newer architectures have only clone
    {SYS_fork},
    {SYS_vfork},
#endif
    {SYS_execve},
    {SYS_execveat},
    {SYS_ptrace},
    {SYS_process_vm_readv},
    {SYS_process_vm_writev},
    // clone3 passes its flags in memory, which a filter cannot see; without it the C library uses clone.
    {SYS_clone3, ENOSYS},
    {SYS_clone, EPERM, CallRule::When::BitsClear, 0, CLONE_THREAD},
});

}  // namespace

Status forbid_processes() { return kNoProcesses.install(); }

Status forbid_sockets() {
  const CallFilter filter({
      {SYS_socket},
      {SYS_socketpair},
      {SYS_connect},
      {SYS_bind},
      {SYS_listen},
      {SYS_io_uring_setup},  // which makes and connects sockets without the calls of that name
  });
  return filter.install();
}

}  // namespace chancery::base
