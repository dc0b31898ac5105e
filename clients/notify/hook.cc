#include "clients/notify/hook.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "server/base/bytes.h"
#include "server/base/fd.h"
#include "server/base/process.h"

namespace chancery::notify {
namespace {

constexpr int kCannotRun = 127;  ///< as a shell says it

/// A file in memory: a program that never reads is no pipe that fills up.
Result<base::UniqueFd> input_of(const std::string& text) {
  base::UniqueFd file(::memfd_create("notice", MFD_CLOEXEC));
  if (!file) return base::io_error("memfd_create", errno);
  PKI_TRY_VOID(base::write_all(file.get(), base::as_bytes(text)));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return base::io_error("lseek", errno);
  return file;
}

[[noreturn]] void become(const char* program, int input, pid_t parent) {
  const std::array<char*, 2> arguments{const_cast<char*>(program), nullptr};  // execve(2) changes neither
  std::array<char, 44> path{"PATH=/usr/local/bin:/usr/bin:/bin"};
  std::array<char, 16> language{"LANG=C.UTF-8"};
  const std::array<char*, 3> environment{path.data(), language.data(), nullptr};
  ::setpgid(0, 0);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  const bool is_arranged = nowhere >= 0 && ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(nowhere, STDOUT_FILENO) >= 0 &&
                           ::dup2(nowhere, STDERR_FILENO) >= 0 && ::chdir("/") == 0;
  base::close_all_but({});
  for (const int number : {SIGTERM, SIGINT, SIGPIPE, SIGHUP}) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (is_arranged && base::die_with_parent(parent, SIGKILL).ok()) ::execve(program, arguments.data(), environment.data());
  ::_exit(kCannotRun);
}

/// @return whether it ended in time.
bool wait_for(pid_t child, std::chrono::milliseconds limit) {
  // glibc 2.36 declares pidfd_open(3) for C alone.
  const base::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const auto deadline = std::chrono::steady_clock::now() + limit;
  pollfd waiting{process.get(), POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = ::poll(&waiting, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

}  // namespace

Status run_hook(const std::string& program, const std::string& input, std::chrono::seconds limit) {
  PKI_TRY(const auto file, input_of(input));
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return base::io_error("fork", errno);
  if (child == 0) become(program.c_str(), file.get(), parent);
  ::setpgid(child, child);  // whichever of the two comes first
  const bool in_time = wait_for(child, limit);
  ::kill(-child, SIGKILL);  // before it is reaped: until then the number is nobody else's
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return Error(Code::Unavailable, "the program took longer than " + std::to_string(limit.count()) + " s");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotRun) return Error(Code::Unavailable, "the program cannot be run (127)");
  if (WIFEXITED(status)) return Error(Code::Unavailable, "the program ended with " + std::to_string(WEXITSTATUS(status)));
  return Error(Code::Unavailable, "the program was ended by signal " + std::to_string(WTERMSIG(status)));
}

}  // namespace chancery::notify
