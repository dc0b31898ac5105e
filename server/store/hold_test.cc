#include "server/store/hold.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <thread>

#include "server/store/shared_words.h"
#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::milliseconds;

class Holds : public testing::Test {
 protected:
  Result<Hold> take(std::string_view what, milliseconds patience = {}) { return Hold::take(file_, what, patience); }

  TemporaryDirectory directory_;
  base::Path file_ = directory_.path() / "realm.db";
};

TEST_F(Holds, OneAtATimeHasIt) {
  {
    const auto mine = take("order");
    EXPECT_TRUE(mine.ok());
    EXPECT_EQ(code_of(take("order")), Code::Busy);
    EXPECT_OK(take("another"));
  }
  EXPECT_OK(take("order"));
}

TEST_F(Holds, WhoIsPatientGetsItNext) {
  auto mine = std::make_unique<Hold>(take("order").value());
  std::jthread later([&] { mine.reset(); });
  EXPECT_OK(take("order", std::chrono::seconds{30}));
}

/// The kernel gives back what a process had, however it ended.
TEST_F(Holds, C6_AKilledProcessHoldsNothing) {
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const auto child = ::fork();
  if (child == 0) {
    const auto theirs = take("order");
    [[maybe_unused]] const auto told = ::write(ready[1], theirs.ok() ? "y" : "n", 1);
    for (;;) ::pause();
  }
  char octet = 0;
  ASSERT_EQ(::read(ready[0], &octet, 1), 1);
  EXPECT_EQ(octet, 'y');
  EXPECT_EQ(code_of(take("order")), Code::Busy);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_OK(take("order"));
}

TEST_F(Holds, TheWordsStayAsTheyAre) {
  const SharedWords words(SharedWords::file_of(file_));
  ASSERT_NE(words.get(), nullptr);
  words.get()->begun = 7;
  EXPECT_OK(take("order"));
  EXPECT_EQ(words.get()->begun, 7U);
}

TEST_F(Holds, WhereNothingCanBeLockedNothingIsDone) {
  file_ = directory_.path() / "none" / "realm.db";
  EXPECT_EQ(code_of(take("order")), Code::StoreFailed);
}

}  // namespace
}  // namespace chancery::store
