#include "server/worker/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "server/base/fd.h"
#include "server/base/log.h"

namespace chancery::worker {
namespace {

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR;
constexpr std::uint64_t kAll = kRead | kWrite | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                               LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                               LANDLOCK_ACCESS_FS_MAKE_SYM;

/// Libraries and name services read these after the session is open (NSS, OpenSSL's configuration, time zones).
constexpr std::array kReadable{"/etc", "/usr", "/lib", "/proc/self", "/dev/urandom", "/run/systemd/userdb"};

void allow(int ruleset, const char* path, std::uint64_t access) {
  const base::UniqueFd place(::open(path, O_PATH | O_CLOEXEC));
  if (!place) return;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = place.get();
  // A file takes no directory rights; a second try without them costs nothing.
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) return;
  rule.allowed_access = access & (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
  ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

}  // namespace

void confine_to_realm(const config::RealmConfig& realm, const config::ServerConfig& server) {
  landlock_ruleset_attr wanted{};
  wanted.handled_access_fs = kAll;
  const base::UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &wanted, sizeof(wanted), 0)));
  if (!ruleset) {
    base::log_debug("this kernel has no Landlock: the worker keeps its view of the file system");
    return;
  }
  allow(ruleset.get(), realm.directory.c_str(), kRead | kWrite);
  // The registration seed may lie elsewhere; it is the realm's own.
  if (!realm.seed_file.empty()) allow(ruleset.get(), realm.seed_file.c_str(), LANDLOCK_ACCESS_FS_READ_FILE);
  for (const auto* path : kReadable) allow(ruleset.get(), path, kRead);
  if (server.log_destination.starts_with('/'))
    allow(ruleset.get(), server.log_destination.c_str(), LANDLOCK_ACCESS_FS_WRITE_FILE);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    base::log_warning("Landlock: " + base::io_error("restrict", errno).message());
}

}  // namespace chancery::worker
