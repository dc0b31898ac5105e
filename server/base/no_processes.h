#pragma once

#include "server/base/result.h"

namespace chancery::base {

/// From here on this process can neither make nor become another one, nor look into one: fork, exec and ptrace are refused with
/// EPERM by the kernel (seccomp(2)), for good and for threads it makes later. Needs PR_SET_NO_NEW_PRIVS or CAP_SYS_ADMIN.
/// @errors Io: the kernel has no seccomp filters.
Status forbid_processes();

/// From here on this process makes no socket and connects none, to whatever network or process: EPERM, likewise for good. What is
/// open stays, and a listening socket goes on accepting. Needs and @errors as forbid_processes.
Status forbid_sockets();

}  // namespace chancery::base
