#include "server/signer/confine.h"

#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "server/base/landlock.h"
#include "server/base/log.h"
#include "server/config/next_key.h"

namespace chancery::signer {
namespace {

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

/// By what they are for. libc chooses among the kinds of one call, so each kind is there.
constexpr std::array kAllowed{
    // conversations with workers and the master
    "accept4", "recvfrom", "recvmsg", "sendto", "sendmsg", "read", "write", "writev", "poll", "ppoll", "epoll_wait",
    "epoll_pwait", "epoll_ctl", "getsockopt", "getsockname", "close", "fcntl", "shutdown",
    // the journal, ca.crt and crl.pem, the configuration at a reload
    "openat", "pread64", "pwrite64", "fdatasync", "fsync", "ftruncate", "fstat", "newfstatat", "stat", "lstat", "statx", "lseek",
    "access", "faccessat", "faccessat2", "getdents64", "readlink", "readlinkat", "rename", "renameat", "renameat2", "unlink",
    "unlinkat", "fchmod", "fchown", "flock", "umask", "mkdir", "mkdirat", "getcwd", "dup",
    // memory, threads that exist, time, randomness
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "mlock", "munlock", "futex", "sched_yield", "sched_getaffinity",
    "rseq", "set_robust_list", "clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "getrandom", "getpid", "gettid",
    "getuid", "geteuid", "getgid", "getegid", "sysinfo", "prctl",
    // signals and the end
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "restart_syscall", "sigaltstack", "alarm", "setitimer", "tgkill", "exit",
    "exit_group"};

/// Refused rather than fatal: syslog(3) opens its socket again when the log's daemon was restarted, and may fail.
constexpr std::array kRefused{"socket", "connect", "ioctl"};

Status failed(const char* what, int result) { return base::io_error(std::string("seccomp: ") + what, -result); }

}  // namespace

void confine_files(const config::RealmConfig& realm, const std::string& log_destination) {
  using Access = base::Landlock::Access;
  const base::Landlock landlock;
  landlock.allow(realm.directory, Access::ReadWrite);
  for (const auto& file : realm.key_block_lists) landlock.allow(file, Access::Read);
  const auto tokens = config::tokens_of(realm);
  for (const auto& token : tokens) {
    if (!token.pin_file.empty()) landlock.allow(token.pin_file, Access::Read);  // anew after a reload
  }
  const bool has_pin_credential = std::ranges::any_of(tokens, [](const auto& token) { return !token.pin_credential.empty(); });
  // For the key of another generation, which is made while the signer runs.
  if (!realm.passphrase_file.empty()) landlock.allow(realm.passphrase_file, Access::Read);
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
      credentials != nullptr && (has_pin_credential || !realm.passphrase_credential.empty()))
    landlock.allow(credentials, Access::Read);
  landlock.allow("/etc", Access::Read);  // names of users, for what a reload says of owners
  if (log_destination.starts_with('/')) landlock.allow(log_destination, Access::Write);
  const auto enforced = landlock.enforce();
  if (!enforced.ok()) base::log_warning(enforced.error().message());
  if (enforced.ok() && !*enforced) base::log_warning("this kernel has no Landlock: the signer keeps its view of the file system");
}

Status confine_calls() {
#ifdef __SANITIZE_ADDRESS__
  return {};  // the sanitizers make calls of their own
#endif
  const Filter filter(::seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (!filter) return base::io_error("seccomp", ENOMEM);
  if (const int result = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); result != 0)
    return failed("all threads", result);
  for (const auto* call : kAllowed) {
    const int number = ::seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR) continue;  // not on this architecture
    if (const int result = ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number, 0); result != 0) return failed(call, result);
  }
  for (const auto* call : kRefused) {
    const int number = ::seccomp_syscall_resolve_name(call);
    if (const int result = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EACCES), number, 0); result != 0)
      return failed(call, result);
  }
  const int result = ::seccomp_load(filter.get());
  return result == 0 ? Status() : failed("load", result);
}

}  // namespace chancery::signer
