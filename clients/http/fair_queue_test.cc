#include "clients/http/fair_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <vector>

#include "clients/http/pool.h"
#include "server/base/result.h"

namespace chancery::http {
namespace {

constexpr FairQueue::Limits kLimits{.running_each = 2, .waiting_each = 3, .waiting_all = 8};

/// A queue whose jobs write down that they ran.
class FairQueueTest : public testing::Test {
 protected:
  bool add(const std::string& owner, const std::string& what) {
    return queue.add({owner}, [this, what] { ran.push_back(what); });
  }
  /// Whose turn it was; empty: nobody's.
  std::string run() {
    const auto turn = queue.next();
    if (!turn) return {};
    turn->job();
    return turn->whose.owner;
  }

  FairQueue queue{kLimits};
  std::vector<std::string> ran;
};

TEST_F(FairQueueTest, OwnersTakeTurns) {
  for (const auto* one : {"a1", "a2", "a3"}) EXPECT_TRUE(add("a", one));
  for (const auto* one : {"b1", "b2"}) EXPECT_TRUE(add("b", one));
  EXPECT_TRUE(add("c", "c1"));
  while (!run().empty()) {
  }
  EXPECT_EQ(ran, (std::vector<std::string>{"a1", "b1", "c1", "a2", "b2"}));
}

TEST_F(FairQueueTest, KnowsWhoHasSomethingInHand) {
  EXPECT_FALSE(queue.has("a"));
  add("a", "a1");
  EXPECT_TRUE(queue.has("a"));  // waits
  EXPECT_FALSE(queue.has("b"));
  EXPECT_EQ(run(), "a");
  EXPECT_TRUE(queue.has("a"));  // runs
  queue.end({"a"});
  EXPECT_FALSE(queue.has("a"));
}

TEST_F(FairQueueTest, NobodyRunsMoreThanItsShare) {
  for (const auto* one : {"a1", "a2", "a3"}) add("a", one);
  EXPECT_EQ(run(), "a");
  EXPECT_EQ(run(), "a");
  EXPECT_EQ(run(), "");
  add("b", "b1");
  EXPECT_EQ(run(), "b");
  queue.end({"a"});
  EXPECT_EQ(run(), "a");
  EXPECT_EQ(ran, (std::vector<std::string>{"a1", "a2", "b1", "a3"}));
}

TEST_F(FairQueueTest, OneThatComesBackStandsAtTheEnd) {
  add("a", "a1");
  EXPECT_EQ(run(), "a");
  add("b", "b1");
  add("a", "a2");
  queue.end({"a"});
  EXPECT_EQ(run(), "b");
  EXPECT_EQ(run(), "a");
  EXPECT_EQ(run(), "");
}

TEST_F(FairQueueTest, WhoRunsLessGoesFirst) {
  for (const auto* one : {"a1", "a2", "a3"}) add("a", one);
  EXPECT_EQ(run(), "a");
  add("b", "b1");
  EXPECT_EQ(run(), "b");
  EXPECT_EQ(run(), "a");
  EXPECT_EQ(ran, (std::vector<std::string>{"a1", "b1", "a2"}));
}

/// A queue of three jobs a door, two an owner.
class DoorsTest : public testing::Test {
 protected:
  bool add(const std::string& owner, const std::string& door) {
    return queue.add({owner, door}, [] {});
  }
  /// Whose turn it was: "owner door"; empty: nobody's.
  std::string run() {
    const auto turn = queue.next();
    return turn ? turn->whose.owner + " " + turn->whose.door : std::string();
  }

  FairQueue queue{{.running_each = 2, .waiting_each = 4, .waiting_all = 20, .running_door = 3}};
};

TEST_F(DoorsTest, ADoorHasItsShareHoweverManyComeByIt) {
  for (const auto* owner : {"a", "b", "c", "d"}) add(owner, "api");
  EXPECT_EQ(run(), "a api");
  EXPECT_EQ(run(), "b api");
  EXPECT_EQ(run(), "c api");
  EXPECT_EQ(run(), "");
  add("e", "acme");
  EXPECT_EQ(run(), "e acme");
  EXPECT_EQ(run(), "");
  queue.end({"b", "api"});
  EXPECT_EQ(run(), "d api");
}

TEST_F(DoorsTest, AnOwnersShareIsThatOfAllDoors) {
  for (const auto* door : {"api", "acme", ""}) add("a", door);
  EXPECT_EQ(run(), "a api");
  EXPECT_EQ(run(), "a acme");
  EXPECT_EQ(run(), "");
  queue.end({"a", "acme"});
  EXPECT_EQ(run(), "a ");
}

TEST_F(DoorsTest, WhatWaitsCountsForAllDoors) {
  for (const auto* door : {"api", "acme", "", "api"}) EXPECT_TRUE(add("a", door));
  EXPECT_FALSE(add("a", "acme"));
  EXPECT_TRUE(add("b", "acme"));
}

TEST_F(DoorsTest, OneThatEndsByAnotherDoorIsABug) {
  add("a", "api");
  EXPECT_EQ(run(), "a api");
  EXPECT_THROW(queue.end({"a", "acme"}), Bug);
}

TEST_F(DoorsTest, OneEndMayLetTwoRun) {
  for (const auto* owner : {"a", "b", "c"}) add(owner, "api");
  add("a", "acme");
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(run().empty());
  add("a", "acme");
  add("d", "api");
  EXPECT_EQ(run(), "");
  queue.end({"a", "api"});
  EXPECT_EQ(run(), "d api");
  EXPECT_EQ(run(), "a acme");
}

TEST_F(FairQueueTest, RefusesWhatIsTooMuchOfOne) {
  for (const auto* one : {"a1", "a2", "a3"}) EXPECT_TRUE(add("a", one));
  EXPECT_FALSE(add("a", "a4"));
  EXPECT_TRUE(add("b", "b1"));
  EXPECT_EQ(run(), "a");
  EXPECT_TRUE(add("a", "a4"));
}

TEST_F(FairQueueTest, RefusesWhatIsTooMuchOfAll) {
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(add(std::to_string(i), "x"));
  EXPECT_FALSE(add("late", "x"));
  EXPECT_EQ(run(), "0");
  EXPECT_TRUE(add("late", "x"));
}

TEST_F(FairQueueTest, NothingWaitsOfAClearedOne) {
  add("a", "a1");
  add("a", "a2");
  EXPECT_EQ(run(), "a");
  queue.clear();
  EXPECT_EQ(run(), "");
  queue.end({"a"});
  EXPECT_TRUE(add("a", "a3"));
  EXPECT_EQ(run(), "a");
}

TEST_F(FairQueueTest, WhatNeverBeganDoesNotEnd) {
  EXPECT_THROW(queue.end({"a"}), Bug);
  add("a", "a1");
  EXPECT_THROW(queue.end({"a"}), Bug);
}

TEST(Pool, OneOwnersSlowJobsLeaveThreadsForOthers) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::promise<void> done;
  {
    Pool pool("test", 3, kLimits);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.submit({"slow"}, [released] { released.wait(); }));
    EXPECT_TRUE(pool.submit({"quick"}, [&] { done.set_value(); }));
    EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
    release.set_value();
  }
}

TEST(Pool, WithoutOwnersEveryThreadWorks) {
  std::latch all(3);
  std::atomic<int> left = 3;
  std::promise<void> done;
  Pool pool("test", 3, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(pool.submit([&] {
      all.arrive_and_wait();
      if (left.fetch_sub(1) == 1) done.set_value();
    }));
  }
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(Pool, WithoutOwnersRefusesWhatIsTooMuch) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::promise<void> begun;
  Pool pool("test", 1, 2);
  EXPECT_TRUE(pool.submit([&] {
    begun.set_value();
    released.wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_FALSE(pool.submit([] {}));
  release.set_value();
}

TEST(Pool, ABugEndsItsJobAlone) {
  std::promise<void> done;
  Pool pool("test", 1, {.running_each = 1, .waiting_each = 5, .waiting_all = 5});
  EXPECT_TRUE(pool.submit({"a"}, [] { throw Bug("on purpose"); }));
  EXPECT_TRUE(pool.submit({"a"}, [&] { done.set_value(); }));
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

}  // namespace
}  // namespace chancery::http
