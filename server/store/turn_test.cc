#include "server/store/turn.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "server/store/shared_words.h"

namespace chancery::store {
namespace {

/// A turn over a file of its own.
class FileTurn {
 public:
  explicit FileTurn(const base::Path& file) : words_(file), turn_(words_.turn(&Words::write_turn)) {}
  void take() { turn_.take(); }
  void leave() { turn_.leave(); }

 private:
  SharedWords words_;
  Turn turn_;
};

class Turns : public testing::Test {
 protected:
  Turns() { PKI_CHECK(::mkdtemp(directory_.data()) != nullptr); }
  ~Turns() override { std::filesystem::remove_all(directory_); }
  base::Path file() const { return base::Path(directory_) / "turn"; }

 private:
  std::string directory_ = (std::filesystem::temp_directory_path() / "turn-XXXXXX").string();
};

/// What another process does, to its end by _exit: it runs no destructor.
void in_a_process(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_EQ(status, 0);
}

TEST_F(Turns, IsTakenAndLeftAgainAndAgain) {
  FileTurn turn(file());
  for (int i = 0; i < 3; ++i) {
    turn.take();
    turn.take();  // a second time is the same turn
    turn.leave();
    turn.leave();
  }
  struct stat facts {};
  ASSERT_EQ(::stat(file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(Turns, WhoSleepsIsWokenByTheOneBefore) {
  FileTurn first(file());
  first.take();
  std::atomic<bool> has_it{false};
  std::thread other([&] {
    FileTurn second(file());
    second.take();
    has_it = true;
  });
  first.leave();
  other.join();
  EXPECT_TRUE(has_it);
}

TEST_F(Turns, F1_AKilledOnesTurnIsPassedOn) {
  in_a_process([&] {
    auto* turn = new FileTurn(file());  // never left
    turn->take();
  });
  std::optional<FileTurn> turn(std::in_place, file());
  turn->take();
  turn.reset();
  in_a_process([&] {
    FileTurn next(file());
    next.take();
    next.leave();
  });
}

TEST_F(Turns, WhatStandsInTheFileIsNotBelieved) {
  for (const std::string& text :
       {std::string("\xff\xff\xff\xff"), std::string(1, '\2'), std::string("a longer text than a word")}) {
    std::ofstream(file(), std::ios::binary) << text;
    FileTurn turn(file());
    turn.take();
    turn.leave();
  }
}

TEST_F(Turns, WithoutAFileThereIsNone) {
  FileTurn nowhere(base::Path("/nonexistent/turn"));
  nowhere.take();
  nowhere.leave();
  std::filesystem::create_directory(file());
  FileTurn directory(file());
  directory.take();
  directory.leave();
}

TEST_F(Turns, D33_ALinkIsNotFollowed) {
  const auto target = file().parent_path() / "elsewhere";
  std::filesystem::create_symlink(target, file());
  FileTurn turn(file());
  turn.take();
  turn.leave();
  EXPECT_FALSE(std::filesystem::exists(target));
}

}  // namespace
}  // namespace chancery::store
