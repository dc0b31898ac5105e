#include "server/base/code_pages.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "server/base/no_new_code.h"

namespace chancery::base {
namespace {

constexpr std::size_t kBytes = 4096;

/// What a child finds, as its exit status: 0, or the number of the first thing that went wrong.
template <class Act>
int status_of_child(Act act) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(act());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

template <class Act>
int without_new_code(Act act) {
  return status_of_child([&] {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !forbid_new_code().ok()) return 100;
    return act();
  });
}

void* memory(int protection) { return ::mmap(nullptr, kBytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

TEST(CodePages, ThisProgramIsNotLinkedForThemAndGoesOn) {
  EXPECT_EQ(status_of_child([] {
              CodeMove code;
              code.wait();
              const auto moved = code.finish();
              if (moved.ok() || moved.error().code() != Code::Unavailable) return 1;
              try {
                throw std::runtime_error("still unwinds");
              } catch (const std::exception&) {
                return 0;
              }
            }),
            0);
}

TEST(NewCode, D34_WritableMemoryBecomesNone) {
  EXPECT_EQ(without_new_code([] { return memory(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED && errno == EPERM ? 0 : 1; }),
            0);
  EXPECT_EQ(without_new_code([] { return memory(PROT_WRITE | PROT_EXEC) == MAP_FAILED && errno == EPERM ? 0 : 1; }), 0);
  EXPECT_EQ(without_new_code([] {
              void* const page = memory(PROT_READ | PROT_WRITE);
              if (page == MAP_FAILED) return 1;
              return ::mprotect(page, kBytes, PROT_READ | PROT_EXEC) == -1 && errno == EPERM ? 0 : 2;
            }),
            0);
  EXPECT_EQ(without_new_code([] {
              void* const page = memory(PROT_READ | PROT_WRITE);
              return ::pkey_mprotect(page, kBytes, PROT_EXEC, -1) == -1 && errno == EPERM ? 0 : 1;
            }),
            0);
}

TEST(NewCode, MemoryAndLibrariesGoOn) {
  EXPECT_EQ(without_new_code([] {
              void* const page = memory(PROT_READ | PROT_WRITE);
              return page != MAP_FAILED && ::mprotect(page, kBytes, PROT_READ) == 0 ? 0 : 1;
            }),
            0);
  EXPECT_EQ(without_new_code([] { return ::dlopen("libresolv.so.2", RTLD_NOW) != nullptr ? 0 : 1; }), 0);
}

TEST(NewCode, HoldsForWhatIsExecuted) {
  EXPECT_EQ(without_new_code([] {
              ::execl("/usr/bin/python3", "python3", "-c",
                      "import mmap, sys\n"
                      "try: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
                      "except PermissionError: sys.exit(0)\n"
                      "sys.exit(1)",
                      static_cast<char*>(nullptr));
              return 2;
            }),
            0);
}

}  // namespace
}  // namespace chancery::base
