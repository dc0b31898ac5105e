#pragma once

#include "server/base/result.h"

namespace chancery::base {

/// From here on no memory that was writable becomes code, in this process, its children and what they execute: the kernel refuses
/// it with EPERM (seccomp(2)). Needs PR_SET_NO_NEW_PRIVS or CAP_SYS_ADMIN.
/// @errors Io: the kernel has no seccomp filters.
Status forbid_new_code();

}  // namespace chancery::base
