#include "server/base/scoreboard.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chancery::base {
namespace {

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1800000000}};

RealmName realm(std::string_view name) { return RealmName::parse(name).value(); }
std::unique_ptr<Scoreboard> board(std::size_t slots) { return Scoreboard::create(slots).value(); }

TEST(Scoreboard, StartsEmpty) {
  const auto empty = board(10);
  EXPECT_TRUE(empty->workers().empty());
  EXPECT_TRUE(empty->processes().empty());
  EXPECT_EQ(empty->server().generation, 0U);
  EXPECT_EQ(empty->server().max_workers, 10U);
}

TEST(Scoreboard, ShowsAWorkersLife) {
  const auto one = board(4);
  one->occupy(2, 1000, kNow);
  one->set_pid(2, 77);
  ASSERT_TRUE(one->enter_realm(2, realm("default"), 5).ok());
  one->begin_request(2);
  one->begin_request(2);
  ASSERT_EQ(one->workers().size(), 1U);
  const auto view = one->workers().front();
  EXPECT_EQ(view.slot, 2U);
  EXPECT_EQ(view.pid, 77);
  EXPECT_EQ(view.uid, 1000U);
  EXPECT_EQ(view.realm, "default");
  EXPECT_EQ(view.state, WorkerState::Busy);
  EXPECT_EQ(view.requests, 2U);
  EXPECT_EQ(view.since, kNow);
  one->release(2);
  EXPECT_TRUE(one->workers().empty());
}

TEST(Scoreboard, D1_ARealmTakesNoMoreThanItsShare) {
  const auto one = board(5);
  for (std::size_t slot = 0; slot < 5; ++slot) one->occupy(slot, 0, kNow);
  EXPECT_TRUE(one->enter_realm(0, realm("default"), 2).ok());
  EXPECT_TRUE(one->enter_realm(1, realm("default"), 2).ok());
  const auto refused = one->enter_realm(2, realm("default"), 2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Busy);
  EXPECT_EQ(one->count_workers_in(realm("default")), 2U);
  EXPECT_TRUE(one->enter_realm(3, realm("devices"), 2).ok());
  one->release(0);
  EXPECT_TRUE(one->enter_realm(2, realm("default"), 2).ok());
}

TEST(Scoreboard, ASlotThatIsUsedAgainRemembersNothing) {
  const auto one = board(1);
  one->occupy(0, 1, kNow);
  ASSERT_TRUE(one->enter_realm(0, realm("default"), 1).ok());
  one->begin_request(0);
  one->release(0);
  EXPECT_EQ(one->count_workers_in(realm("default")), 0U);
  one->occupy(0, 2, kNow);
  EXPECT_EQ(one->workers().front().realm, "");
  EXPECT_EQ(one->workers().front().requests, 0U);
}

TEST(Scoreboard, AChildAndItsParentSeeTheSame) {
  const auto one = board(2);
  one->occupy(1, 0, kNow);
  const pid_t child = ::fork();
  if (child == 0) {
    (void)one->enter_realm(1, realm("devices"), 1);
    one->begin_request(1);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(one->workers().front().realm, "devices");
  EXPECT_EQ(one->workers().front().state, WorkerState::Busy);
}

TEST(Scoreboard, ShowsProcessesAndCutsLongTexts) {
  const auto one = board(0);
  one->show_process(3, {.kind = "signer",
                        .name = "default",
                        .pid = 9,
                        .state = ProcessState::Degraded,
                        .restarts = 4,
                        .detail = std::string(1000, 'x'),
                        .since = kNow});
  ASSERT_EQ(one->processes().size(), 1U);
  const auto view = one->processes().front();
  EXPECT_EQ(view.kind, "signer");
  EXPECT_EQ(view.name, "default");
  EXPECT_EQ(view.detail, std::string(256, 'x'));
  EXPECT_EQ(to_text(view.state), "degraded");
  one->hide_process(3);
  EXPECT_TRUE(one->processes().empty());
}

TEST(Scoreboard, ASlotThatIsNotThereIsABug) {
  const auto one = board(2);
  EXPECT_THROW(one->occupy(2, 0, kNow), Bug);
  EXPECT_THROW(one->begin_request(99), Bug);
  EXPECT_THROW(one->hide_process(Scoreboard::kMaxProcesses), Bug);
}

TEST(Scoreboard, StatesHaveWordsAndStrangeOnesToo) {
  EXPECT_EQ(to_text(WorkerState::Unopened), "unopened");
  EXPECT_EQ(to_text(ProcessState::Throttled), "throttled");
  EXPECT_EQ(to_text(static_cast<WorkerState>(200)), "unknown");
}

}  // namespace
}  // namespace chancery::base
