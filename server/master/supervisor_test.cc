#include "server/master/supervisor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "server/base/process.h"

namespace chancery::master {
namespace {

using base::ProcessState;

/// A process on paper: pids that no process has are handed out, the test says what the process writes and how it ends.
class Stage {
 public:
  Stage() : loop_(Loop::create().value()), board_(base::Scoreboard::create(0).value()), supervisor_(loop_, *board_, [] {}) {}

  Wanted wanted(Kind kind, const std::string& name, const std::string& settings = "") {
    return {kind, name, settings, [this, name] { return start(name); }};
  }
  Result<Started> start(const std::string& name) {
    starts.push_back(name);
    if (refuse_to_start) return Error(Code::NotFound, "found no program");
    auto pipe = base::make_pipe().value();
    writers_.push_back(std::move(pipe.write));
    return Started{++last_pid, std::move(pipe.read)};
  }
  void write(const std::string& text) { PKI_CHECK(base::write_all(writers_.back().get(), base::as_bytes(text)).ok()); }
  void say(const std::string& text) {
    write(text);
    turn();
  }
  /// The last process started ends with that status.
  void end(int wait_status) {
    writers_.clear();
    EXPECT_TRUE(supervisor_.reaped(last_pid, wait_status));
    turn();
  }
  /// Lets what is due happen.
  void turn() {
    auto after = loop_.timer([this] { loop_.stop(); });
    after->arm_after(std::chrono::milliseconds(5));
    loop_.run();
  }
  base::ProcessView view() const { return board_->processes().at(0); }

  std::vector<std::string> starts;
  bool refuse_to_start = false;
  pid_t last_pid = 1 << 28;  // above the largest pid of any Linux

 private:
  Loop loop_;
  std::unique_ptr<base::Scoreboard> board_;
  std::vector<base::UniqueFd> writers_;

 public:
  Supervisor supervisor_;
};

int exited(base::Exit status) { return W_EXITCODE(base::to_int(status), 0); }

TEST(Supervisor, C27_ASignerIsReadyWhenItSaysSo) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  EXPECT_FALSE(stage.supervisor_.is_settled());
  EXPECT_EQ(stage.view().state, ProcessState::Starting);
  stage.say("rea");
  EXPECT_FALSE(stage.supervisor_.is_settled());
  stage.say("dy\n");
  EXPECT_TRUE(stage.supervisor_.is_settled());
  EXPECT_EQ(stage.view().state, ProcessState::Ready);
  EXPECT_EQ(stage.supervisor_.summary(), "ready: 1 signer");
}

TEST(Supervisor, C27_ASignerWhoseKeyComesAndGoesSaysSo) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  stage.say("unready locked: nobody opened it\n");
  EXPECT_TRUE(stage.supervisor_.is_settled());
  EXPECT_EQ(stage.view().state, ProcessState::Degraded);
  EXPECT_EQ(stage.view().detail, "locked: nobody opened it");
  stage.say("ready\n");
  EXPECT_EQ(stage.view().state, ProcessState::Ready);
  EXPECT_EQ(stage.view().detail, "");
  stage.say("unready token: removed\nready\nunready token: removed again\n");
  EXPECT_EQ(stage.view().detail, "token: removed again");
  stage.end(exited(base::Exit::Software));
  EXPECT_NE(stage.view().detail.find("ended"), std::string::npos) << stage.view().detail;
}

TEST(Supervisor, C27_AFailedSignerIsDegradedWithItsReason) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  stage.say("failed wrong passphrase\n");
  EXPECT_TRUE(stage.supervisor_.is_settled());
  EXPECT_EQ(stage.view().state, ProcessState::Degraded);
  EXPECT_EQ(stage.supervisor_.summary(), "nothing ready; signer default degraded: wrong passphrase");
}

TEST(Supervisor, C28_AWrongConfigurationIsNotTriedAgainBeforeAReload) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  stage.say("failed wrong passphrase\n");
  stage.end(exited(base::Exit::Config));
  EXPECT_EQ(stage.starts.size(), 1U);
  EXPECT_EQ(stage.view().detail, "wrong passphrase; starts again after a reload");
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  EXPECT_EQ(stage.starts.size(), 2U);
}

TEST(Supervisor, D24_ASignerThatFailedOnTheOldConfigurationTriesTheNewOne) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});  // a reload while it still starts
  stage.say("failed wrong passphrase\n");
  stage.end(exited(base::Exit::Config));
  EXPECT_EQ(stage.starts.size(), 2U);
}

TEST(Supervisor, C27_TheLastWordCountsThoughTheProcessIsGone) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  stage.write("failed no key\n");
  stage.end(exited(base::Exit::Config));
  EXPECT_EQ(stage.view().detail, "no key; starts again after a reload");
}

TEST(Supervisor, D18_TheDeadStartAgainUntilTheThrottle) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http")});
  stage.end(SIGSEGV);
  stage.end(SIGSEGV);
  EXPECT_EQ(stage.starts.size(), 3U);
  stage.end(SIGSEGV);
  EXPECT_EQ(stage.starts.size(), 3U);
  EXPECT_EQ(stage.view().state, ProcessState::Throttled);
  EXPECT_EQ(stage.view().restarts, 3U);
  EXPECT_EQ(stage.view().detail, "ended: signal Segmentation fault");
}

TEST(Supervisor, D18_WhatCannotStartIsThrottledToo) {
  Stage stage;
  stage.refuse_to_start = true;
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http")});
  stage.turn();
  EXPECT_EQ(stage.starts.size(), 3U);
  EXPECT_EQ(stage.view().state, ProcessState::Throttled);
  EXPECT_EQ(stage.view().detail, "found no program");
}

TEST(Supervisor, D24_SameSettingsKeepAFrontEnd) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http", "port 1")});
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http", "port 1")});
  EXPECT_EQ(stage.starts.size(), 1U);
  EXPECT_EQ(stage.view().state, ProcessState::Ready);
}

TEST(Supervisor, D24_OtherSettingsReplaceAFrontEnd) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http", "port 1")});
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http", "port 2")});
  EXPECT_EQ(stage.starts.size(), 1U);
  EXPECT_EQ(stage.view().state, ProcessState::Stopping);
  stage.end(SIGTERM);
  EXPECT_EQ(stage.starts.size(), 2U);
  EXPECT_EQ(stage.view().restarts, 0U);
}

TEST(Supervisor, D24_UpkeepIsAlwaysReplaced) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Upkeep, "")});
  stage.supervisor_.want({stage.wanted(Kind::Upkeep, "")});
  stage.end(exited(base::Exit::Ok));
  EXPECT_EQ(stage.starts.size(), 2U);
}

TEST(Supervisor, D24_TheUnwantedEndAndAreForgotten) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::Signer, "default")});
  stage.supervisor_.want({});
  stage.end(SIGTERM);
  EXPECT_EQ(stage.starts.size(), 1U);
  EXPECT_EQ(stage.supervisor_.summary(), "nothing ready");
  EXPECT_TRUE(stage.supervisor_.has_ended(StopPhase::Signers));
}

TEST(Supervisor, D23_WhatIsToldToStopStaysDown) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http")});
  stage.supervisor_.stop(StopPhase::Signers);
  EXPECT_FALSE(stage.supervisor_.has_ended(StopPhase::Clients));
  stage.supervisor_.stop(StopPhase::Clients);
  stage.end(SIGTERM);
  EXPECT_TRUE(stage.supervisor_.has_ended(StopPhase::Clients));
  EXPECT_EQ(stage.starts.size(), 1U);
}

TEST(Supervisor, StrangersAreNotItsChildren) {
  Stage stage;
  stage.supervisor_.want({stage.wanted(Kind::FrontEnd, "http")});
  EXPECT_FALSE(stage.supervisor_.reaped(stage.last_pid + 1, 0));
  EXPECT_EQ(stage.supervisor_.kind_of(stage.last_pid), Kind::FrontEnd);
  EXPECT_EQ(stage.supervisor_.kind_of(stage.last_pid + 1), std::nullopt);
}

TEST(Kinds, TheTableIsInTheOrderOfTheKinds) {
  for (const auto& row : all_kinds()) EXPECT_EQ(&describe(row.kind), &row);
}

}  // namespace
}  // namespace chancery::master
