#include "server/master/spawn.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/master/account.h"

namespace chancery::master {
namespace {

// What the master, through libevent, handles or ignores; a child that kept the handlers would write into the master's wake pipe.
constexpr std::array kHandledSignals{SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGPIPE};

/// Holds back all signals while it lives, so that none of them meets a child that still has the master's handlers.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

void reset_signals() {
  for (const int number : kHandledSignals) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// A process group of its own: Ctrl-C in the master's terminal is the master's business, which stops its children in order.
void leave_group() { ::setpgid(0, 0); }

[[noreturn]] void end_child(base::Exit status) { ::_exit(base::to_int(status)); }

/// @return whether the process is that user now, or already was; the log says why not.
bool has_become(const Account& account, const std::string& who) {
  const auto status = become(account);
  if (!status.ok()) base::log_error(who + ": " + base::to_line(status.error()));
  return status.ok();
}

[[noreturn]] void run_body(std::span<const int> keep, pid_t master, const Account* user, const Body& body, Group group) {
  int status = base::to_int(base::Exit::Software);
  try {
    base::detach_log();
    base::close_all_but(keep);
    if (group == Group::Own) leave_group();
    if (user != nullptr && !has_become(*user, "child")) end_child(base::Exit::NoPermission);
    reset_signals();
    // After the change of user, which clears it (prctl(2)).
    if (!base::die_with_parent(master, SIGKILL).ok()) end_child(base::Exit::Unavailable);
    status = body();
  } catch (const std::exception& failure) {
    base::log_error(std::string("ended by a bug: ") + failure.what());
  }
  ::_exit(status);
}

/// Puts every passed descriptor under its number. Sources are first moved above all targets, so that none is overwritten.
Status arrange(const std::vector<Passed>& descriptors) {
  int above = STDERR_FILENO + 1;
  for (const auto& one : descriptors) above = std::max(above, one.target + 1);
  std::vector<Passed> moved;
  for (const auto& one : descriptors) {
    const int copy = ::fcntl(one.source, F_DUPFD_CLOEXEC, above);
    if (copy < 0) return base::io_error("F_DUPFD", errno);
    moved.push_back({one.target, copy});
  }
  std::vector<int> keep;
  for (const auto& one : moved) {
    if (::dup2(one.source, one.target) < 0) return base::io_error("dup2", errno);
    keep.push_back(one.target);
  }
  base::close_all_but(keep);
  return {};
}

[[noreturn]] void execute(const Command& command, pid_t master) {
  for (const auto& name : command.unset) ::unsetenv(name.c_str());
  if (const auto status = arrange(command.descriptors); !status.ok()) {
    base::log_error(base::to_line(status.error()));
    end_child(base::Exit::Os);
  }
  leave_group();
  if (!command.user.empty()) {
    const auto account = find_user(command.user);
    if (!account.ok()) base::log_error(base::to_line(account.error()));
    if (!account.ok() || !has_become(*account, command.program.string())) end_child(base::Exit::NoPermission);
  }
  reset_signals();
  // SIGTERM, so that a signer wipes its keys first (PROMISES D17).
  if (!base::die_with_parent(master, SIGTERM).ok()) end_child(base::Exit::Unavailable);
  std::vector<std::string> texts{command.program.string()};
  texts.insert(texts.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> argv;
  for (auto& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  ::execv(texts.front().c_str(), argv.data());
  base::log_error(base::to_line(base::io_error("execute " + command.program.string(), errno)));
  end_child(base::Exit::Config);
}

}  // namespace

Result<pid_t> fork_child(std::span<const int> keep, const Account* user, const Body& body, Group group) {
  const pid_t master = ::getpid();
  const SignalsBlocked blocked;
  const pid_t pid = ::fork();
  if (pid < 0) return base::io_error("fork", errno);
  if (pid == 0) run_body(keep, master, user, body, group);
  return pid;
}

Result<pid_t> spawn(const Command& command) {
  const pid_t master = ::getpid();
  const SignalsBlocked blocked;
  const pid_t pid = ::fork();
  if (pid < 0) return base::io_error("fork", errno);
  if (pid == 0) execute(command, master);
  return pid;
}

std::vector<std::filesystem::path> program_places() {
  std::error_code ignored;
  return {std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path(), CHANCERY_LIBEXECDIR};
}

Result<std::filesystem::path> find_program(const std::string& program, const std::filesystem::path& directory) {
  if (program.starts_with('/')) return std::filesystem::path(program);
  const auto places = directory.empty() ? program_places() : std::vector{directory};
  std::string looked;
  for (const auto& place : places) {
    const auto file = place / program;
    if (::access(file.c_str(), X_OK) == 0) return file;
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  return Error(Code::NotFound, "found no program " + program + " in " + looked);
}

}  // namespace chancery::master
