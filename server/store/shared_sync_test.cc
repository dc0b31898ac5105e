#include "server/store/shared_sync.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "server/store/testing.h"

namespace chancery::store {
namespace {

class Sharing : public testing::Test {
 protected:
  base::Path file() const { return directory_.path() / "words"; }

  /// A connection of its own, whose syncs are counted.
  struct Connection {
    Connection(const base::Path& file, SharedSync::Sync sync) : words(file), log(words.get(), std::move(sync)) {}
    void commit() {
      log.begin();
      log.ended();
    }
    SharedWords words;
    SharedSync log;
  };
  std::unique_ptr<Connection> connection() {
    return std::make_unique<Connection>(file(), [this]() -> Status {
      ++syncs_;
      return verdict_;
    });
  }

  int syncs_ = 0;
  Status verdict_;

 private:
  TemporaryDirectory directory_;
};

TEST_F(Sharing, ACommitIsSyncedOnce) {
  const auto one = connection();
  EXPECT_OK(one->log.settle());
  EXPECT_EQ(syncs_, 0);  // there is nothing
  one->commit();
  EXPECT_OK(one->log.settle());
  EXPECT_OK(one->log.settle());
  EXPECT_EQ(syncs_, 1);
}

TEST_F(Sharing, SeveralCommitsShareOneSync) {
  const auto one = connection();
  const auto other = connection();
  one->commit();
  one->commit();
  other->commit();
  EXPECT_OK(one->log.settle());
  EXPECT_OK(other->log.settle());  // was written before that sync began
  EXPECT_EQ(syncs_, 1);
  other->commit();
  EXPECT_OK(other->log.settle());
  EXPECT_EQ(syncs_, 2);
}

/// An answer from rows that another process has committed and not synced would promise what a power cut takes back.
TEST_F(Sharing, C1_WhatIsReadIsSyncedBeforeItIsSaid) {
  const auto writer = connection();
  const auto reader = connection();
  reader->log.saw();
  EXPECT_OK(reader->log.settle());
  EXPECT_EQ(syncs_, 0);
  writer->commit();
  reader->log.saw();
  EXPECT_OK(reader->log.settle());
  EXPECT_EQ(syncs_, 1);
  EXPECT_OK(writer->log.settle());
  EXPECT_EQ(syncs_, 1);
}

/// Between a commit and its process's word of it others may see it already.
TEST_F(Sharing, C1_ACommitInHandMayHaveBeenSeen) {
  const auto writer = connection();
  const auto reader = connection();
  writer->log.begin();
  reader->log.saw();
  EXPECT_OK(reader->log.settle());
  EXPECT_EQ(syncs_, 1);
  writer->log.ended();
  EXPECT_OK(writer->log.settle());  // nobody knows whether it was in the log when that sync began
  EXPECT_EQ(syncs_, 2);
}

TEST_F(Sharing, F1_ACommitThatNeverEndsHoldsNobodyUp) {
  {
    const auto killed = connection();
    killed->log.begin();
    const auto reader = connection();
    reader->log.saw();
    EXPECT_OK(reader->log.settle());
    EXPECT_OK(reader->log.settle());
    EXPECT_EQ(syncs_, 1);
    const auto writer = connection();
    writer->commit();
    EXPECT_OK(writer->log.settle());
    EXPECT_EQ(syncs_, 2);
    reader->log.saw();
    EXPECT_OK(reader->log.settle());
    EXPECT_EQ(syncs_, 2);
  }
}

TEST_F(Sharing, ASyncThatRunsIsNotForWhatCameAfterItsBeginning) {
  const auto late = connection();
  Connection early(file(), [&]() -> Status {
    ++syncs_;
    late->commit();
    return {};
  });
  early.commit();
  EXPECT_OK(early.log.settle());
  EXPECT_OK(late->log.settle());
  EXPECT_EQ(syncs_, 2);
}

/// PROMISES F8: nobody believes a sync after one that failed.
TEST_F(Sharing, F8_AFailedSyncIsFatalForEverybody) {
  const auto one = connection();
  const auto other = connection();
  one->commit();
  other->commit();
  verdict_ = Error(Code::StoreFailed, "no");
  EXPECT_EQ(code_of(one->log.settle()), Code::StoreFailed);
  verdict_ = {};
  EXPECT_EQ(code_of(other->log.settle()), Code::StoreFailed);
  EXPECT_EQ(code_of(one->log.settle()), Code::StoreFailed);
  EXPECT_EQ(code_of(connection()->log.check()), Code::StoreFailed);
  EXPECT_EQ(syncs_, 1);
}

TEST_F(Sharing, F8_WhoComesAfterAllOthersBeginsAnew) {
  {
    const auto one = connection();
    one->commit();
    verdict_ = Error(Code::StoreFailed, "no");
    EXPECT_EQ(code_of(one->log.settle()), Code::StoreFailed);
  }
  verdict_ = {};
  const auto next = connection();
  EXPECT_OK(next->log.check());
  next->commit();
  EXPECT_OK(next->log.settle());
}

/// A copy of the directory, or what a crash left, may say of commits that are still to come that they are synced.
TEST_F(Sharing, C1_WhatStandsInTheFileIsNotBelieved) {
  std::ofstream(file(), std::ios::binary) << std::string(sizeof(Words), '\x7f');
  const auto one = connection();
  EXPECT_OK(one->log.check());
  one->commit();
  EXPECT_OK(one->log.settle());
  EXPECT_EQ(syncs_, 1);
}

TEST_F(Sharing, TheWordsStayWhileAnybodyHasThem) {
  const auto one = connection();
  one->commit();
  EXPECT_OK(one->log.settle());
  const auto second = connection();
  second->log.saw();
  EXPECT_OK(second->log.settle());
  EXPECT_EQ(syncs_, 1);
  EXPECT_EQ(second->words.get()->synced.load(), 1U);
}

TEST_F(Sharing, WithoutAFileEachSyncsItsOwn) {
  const base::Path nowhere("/nonexistent/words");
  Connection one(nowhere, [&]() -> Status {
    ++syncs_;
    return {};
  });
  EXPECT_EQ(one.words.get(), nullptr);
  one.commit();
  EXPECT_OK(one.log.settle());
  EXPECT_OK(one.log.settle());
  EXPECT_EQ(syncs_, 1);
}

/// Others may write there, and nobody says what.
TEST_F(Sharing, C1_WhoIsAloneSyncsWhatItReads) {
  Connection one(base::Path("/nonexistent/words"), [&]() -> Status {
    ++syncs_;
    return {};
  });
  one.log.saw();
  EXPECT_OK(one.log.settle());
  one.log.saw();
  EXPECT_OK(one.log.settle());
  EXPECT_EQ(syncs_, 2);
}

TEST_F(Sharing, F8_WhatFailedIsKnownWhileTheWordsAreHeld) {
  EXPECT_FALSE(hold_words(file()));  // there are none yet
  base::UniqueFd held;
  {
    const auto one = connection();
    held = hold_words(file());
    ASSERT_TRUE(held);
    one->log.fail("elsewhere");
    EXPECT_EQ(code_of(one->log.check()), Code::StoreFailed);
  }
  EXPECT_EQ(code_of(connection()->log.check()), Code::StoreFailed);
  held = base::UniqueFd();
  EXPECT_OK(connection()->log.check());
}

/// A hole in the file would be filled at its first touch, by a signal where the disk is full.
TEST_F(Sharing, F7_TheWordsHaveTheirBlocks) {
  const SharedWords words(file());
  struct stat facts {};
  ASSERT_EQ(::stat(file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_size, static_cast<off_t>(sizeof(Words)));
  EXPECT_GT(facts.st_blocks, 0);
}

TEST_F(Sharing, D33_ALinkIsNotFollowed) {
  const auto target = file().parent_path() / "elsewhere";
  std::filesystem::create_symlink(target, file());
  EXPECT_EQ(SharedWords(file()).get(), nullptr);
  EXPECT_FALSE(std::filesystem::exists(target));
  std::filesystem::remove(file());
  const SharedWords words(file());
  struct stat facts {};
  ASSERT_EQ(::stat(file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

/// However their commits and syncs fall, none of many processes goes on before a sync that began after its commit has ended.
TEST_F(Sharing, C1_ManyProcessesAtOnce) {
  constexpr int kProcesses = 6;
  constexpr int kCommits = 300;
  // Stands for the log and the disk: commits are appended under a lock, as SQLite's are; a sync takes in what it found at its
  // beginning.
  const auto log_file = file().parent_path() / "log";
  struct Log {
    std::atomic<std::uint32_t> lock;
    std::atomic<std::uint64_t> written, durable;
  };
  std::ofstream(log_file, std::ios::binary) << std::string(sizeof(Words), '\0');
  SharedWords memory(log_file);
  static_assert(sizeof(Log) <= sizeof(Words));
  auto* log = reinterpret_cast<Log*>(memory.get());
  const SharedWords keep(file());
  const auto work = [&] {
    Connection one(file(), [&]() -> Status {
      const auto found = log->written.load();
      std::this_thread::yield();
      auto durable = log->durable.load();
      while (durable < found && !log->durable.compare_exchange_weak(durable, found)) {
      }
      return {};
    });
    for (int i = 0; i < kCommits; ++i) {
      while (log->lock.exchange(1) != 0) std::this_thread::yield();
      one.log.begin();
      const auto mine = ++log->written;
      log->lock = 0;
      one.log.ended();
      if (!one.log.settle().ok() || log->durable.load() < mine) ::_exit(1);
      one.log.saw();
      const auto seen = log->written.load();
      one.log.saw();
      if (!one.log.settle().ok() || log->durable.load() < seen) ::_exit(2);
    }
    ::_exit(0);
  };
  std::vector<pid_t> processes;
  for (int i = 0; i < kProcesses; ++i) {
    processes.push_back(::fork());
    if (processes.back() == 0) work();
  }
  for (const auto pid : processes) {
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(WIFEXITED(status));
  }
}

}  // namespace
}  // namespace chancery::store
