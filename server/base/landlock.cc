#include "server/base/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace chancery::base {
namespace {

constexpr std::uint64_t kFileRead = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kFileWrite = LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kRead = kFileRead | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kChange = kFileWrite | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR;
constexpr std::uint64_t kAll = kRead | kChange | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                               LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                               LANDLOCK_ACCESS_FS_MAKE_SYM;

std::uint64_t rights(Landlock::Access access) {
  switch (access) {
    case Landlock::Access::Read: return kRead;
    case Landlock::Access::Write: return kFileWrite;
    case Landlock::Access::ReadWrite: return kRead | kChange;
  }
  return 0;
}

}  // namespace

Landlock::Landlock() {
  landlock_ruleset_attr wanted{};
  wanted.handled_access_fs = kAll;
  ruleset_.reset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &wanted, sizeof(wanted), 0)));
}

void Landlock::allow(const Path& path, Access access) const {
  if (!ruleset_) return;
  const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return;
  landlock_path_beneath_attr rule{};
  rule.parent_fd = place.get();
  rule.allowed_access = rights(access);
  if (::syscall(SYS_landlock_add_rule, ruleset_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) return;
  // A file takes no directory's rights.
  rule.allowed_access &= kFileRead | kFileWrite;
  ::syscall(SYS_landlock_add_rule, ruleset_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

Result<bool> Landlock::enforce() const {
  if (!ruleset_) return false;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return io_error("PR_SET_NO_NEW_PRIVS", errno);
  if (::syscall(SYS_landlock_restrict_self, ruleset_.get(), 0) != 0) return io_error("landlock_restrict_self", errno);
  return true;
}

}  // namespace chancery::base
