#include "server/base/process.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "server/base/fd.h"

#ifdef __SANITIZE_ADDRESS__
/// LeakSanitizer asks at the end. Its search reads the process by ptrace(2), which one without dumps forbids: there it fails, or
/// waits for ever and keeps a processor busy.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 ? 0 : 1; }
#endif

namespace chancery::base {
namespace {

struct ExitRow {
  Exit status;
  std::string_view text;
};
constexpr std::array kExits{
    ExitRow{Exit::Ok, "ok"},
    ExitRow{Exit::Usage, "usage"},
    ExitRow{Exit::Unavailable, "unavailable"},
    ExitRow{Exit::Software, "bug"},
    ExitRow{Exit::Os, "system"},
    ExitRow{Exit::Io, "input or output"},
    ExitRow{Exit::Temporary, "temporary"},
    ExitRow{Exit::NoPermission, "permission"},
    ExitRow{Exit::Config, "configuration"},
};

char* title_start = nullptr;
std::size_t title_room = 0;

}  // namespace

std::string describe_exit(int wait_status) {
  if (WIFSIGNALED(wait_status)) return std::string("signal ") + strsignal(WTERMSIG(wait_status));
  const int status = WEXITSTATUS(wait_status);
  for (const auto& row : kExits) {
    if (to_int(row.status) == status) return std::string(row.text) + " (" + std::to_string(status) + ")";
  }
  return "exit status " + std::to_string(status);
}

void bind_symbols(char** argv) {
  constexpr const char* kVariable = "LD_BIND_NOW";
  if (::getenv(kVariable) == nullptr && ::setenv(kVariable, "1", 1) == 0) ::execv("/proc/self/exe", argv);
  ::unsetenv(kVariable);  // it is no business of the programs that are started from here
}

void remember_arguments(int argc, char** argv) {
  // The kernel lays argv's texts one after another; only as many as follow each other without a gap are ours to use.
  char* end = argv[0];
  for (int i = 0; i < argc && argv[i] == end; ++i) end += std::strlen(argv[i]) + 1;
  title_start = argv[0];
  title_room = static_cast<std::size_t>(end - argv[0]);
}

void set_title(std::string_view title) {
  ::prctl(PR_SET_NAME, std::string(title.substr(0, 15)).c_str(), 0, 0, 0);
  if (title_room < 2) return;
  std::memset(title_start, 0, title_room);
  std::memcpy(title_start, title.data(), std::min(title.size(), title_room - 1));
}

Status die_with_parent(pid_t parent, int signal) {
  if (::prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0) return io_error("PR_SET_PDEATHSIG", errno);
  if (::getppid() != parent) return Error(Code::Closed, "the parent process is gone");
  return {};
}

Status forbid_dumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return io_error("RLIMIT_CORE", errno);
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return io_error("PR_SET_DUMPABLE", errno);
  return {};
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void give_way(int nice) {
  const sched_param unused{};
  (void)::sched_setscheduler(0, SCHED_BATCH, &unused);
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);  // of the thread, on Linux: setpriority(2)
}

std::size_t proportional_set_size() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  std::string word;
  std::size_t kilobytes = 0;
  while (rollup >> word) {
    if (word == "Pss:" && rollup >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace chancery::base
