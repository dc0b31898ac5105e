#include "server/base/no_processes.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace chancery::base {
namespace {

/// What a child finds that has forbidden itself processes, as its exit status: 0, or the number of the first thing that went
/// wrong.
template <class Act>
int status_of_child(Act act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !forbid_processes().ok()) ::_exit(100);
    ::_exit(act());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(NoProcesses, D8_NoneIsMadeAndNoneIsBecome) {
  EXPECT_EQ(status_of_child([] {
              const pid_t made = ::fork();
              if (made == 0) ::_exit(1);
              return made == -1 && errno == EPERM ? 0 : 1;
            }),
            0);
  EXPECT_EQ(status_of_child([] {
              char* const arguments[] = {const_cast<char*>("true"), nullptr};
              ::execv("/bin/true", arguments);
              return errno == EPERM ? 0 : 2;
            }),
            0);
  EXPECT_EQ(status_of_child([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == -1 && errno == EPERM ? 0 : 3; }), 0);
}

TEST(NoProcesses, ThreadsAndFilesGoOn) {
  EXPECT_EQ(status_of_child([] {
              bool ran = false;
              std::thread([&] { ran = ::getppid() > 0 && ::access("/", R_OK) == 0; }).join();
              return ran ? 0 : 1;
            }),
            0);
}

TEST(NoProcesses, ThreadsAreUnderItToo) {
  EXPECT_EQ(status_of_child([] {
              bool refused = false;
              std::thread([&] { refused = ::fork() == -1 && errno == EPERM; }).join();
              return refused ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace chancery::base
