#include "server/signer/confine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace chancery::signer {
namespace {

/// How a confined process ends that tries something: the status of waitpid(2).
template <class Try>
int tried(const Try& attempt) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!confine_calls().ok()) ::_exit(99);
    ::_exit(attempt());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS; }

TEST(Confine, D34_TheSignerHasNoNetworkAndMakesNoProcess) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizers make calls of their own";
#endif
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    const int status = tried([&] { return ::socket(family, SOCK_STREAM, 0) < 0 ? errno : 0; });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EACCES) << family;
  }
  EXPECT_TRUE(killed(tried([] { return ::fork() < 0 ? 1 : 0; })));
  EXPECT_TRUE(killed(tried([] { return ::execl("/bin/true", "true", nullptr); })));
  EXPECT_TRUE(killed(tried([] { return static_cast<int>(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr)); })));
  EXPECT_TRUE(killed(tried([] { return ::kill(::getppid(), 0); })));
  EXPECT_TRUE(killed(tried([] { return ::chmod("/tmp", 0777); })));
  EXPECT_TRUE(killed(tried([] {
    std::thread other([] {});
    other.join();
    return 0;
  })));
}

TEST(Confine, D34_TheRulesReachThreadsThatExist) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizers make calls of their own";
#endif
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::array<int, 2> start{};
    if (::pipe(start.data()) != 0) ::_exit(98);
    std::thread other([&] {
      char octet = 0;
      if (::read(start[0], &octet, 1) == 1) ::execl("/bin/true", "true", nullptr);
    });
    if (!confine_calls().ok() || ::write(start[1], "x", 1) != 1) ::_exit(99);
    other.join();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(killed(status)) << status;
}

TEST(Confine, WhatSigningTakesGoesOn) {
  const int status = tried([] {
    const int file = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
    const bool done = file >= 0 && ::pwrite(file, "x", 1, 0) == 1 && ::fdatasync(file) == 0 && ::ftruncate(file, 0) == 0;
    return done ? 0 : 1;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace chancery::signer
