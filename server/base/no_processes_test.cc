#include "server/base/no_processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
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

/// Of a child that has forbidden itself sockets, with one that listens from before.
int status_without_sockets(const std::function<int(int listener)>& act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    constexpr sa_family_t kUnnamed = AF_UNIX;  // the kernel chooses an abstract name: unix(7), autobind
    const bool listens =
        ::bind(listener, reinterpret_cast<const sockaddr*>(&kUnnamed), sizeof(kUnnamed)) == 0 && ::listen(listener, 1) == 0;
    if (!listens || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !forbid_sockets().ok()) ::_exit(100);
    ::_exit(act(listener));
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(NoSockets, D34_NoneIsMadeAndNoneIsConnected) {
  const auto refused = [](int result) { return result == -1 && errno == EPERM; };
  EXPECT_EQ(status_without_sockets([&](int) { return refused(::socket(AF_INET, SOCK_STREAM, 0)) ? 0 : 1; }), 0);
  EXPECT_EQ(status_without_sockets([&](int) { return refused(::socket(AF_UNIX, SOCK_DGRAM, 0)) ? 0 : 2; }), 0);
  EXPECT_EQ(status_without_sockets([&](int listener) {
              sockaddr_un any{};
              any.sun_family = AF_UNIX;
              return refused(::connect(listener, reinterpret_cast<const sockaddr*>(&any), sizeof(any))) ? 0 : 3;
            }),
            0);
  EXPECT_EQ(status_without_sockets([&](int listener) { return refused(::listen(listener, 5)) ? 0 : 4; }), 0);
  EXPECT_EQ(status_without_sockets([&](int) {
              int pair[2];
              return refused(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) ? 0 : 5;
            }),
            0);
}

TEST(NoSockets, WhatListensGoesOnAccepting) {
  EXPECT_EQ(status_without_sockets([](int listener) {
              ::fcntl(listener, F_SETFL, O_NONBLOCK);
              return ::accept(listener, nullptr, nullptr) == -1 && errno == EAGAIN ? 0 : 1;
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
