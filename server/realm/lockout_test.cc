#include "server/realm/lockout.h"

#include <gtest/gtest.h>

namespace chancery::realm {
namespace {

using std::chrono::seconds;

constexpr Seconds kNow{seconds{1'800'000'000}};
constexpr LockoutRules kRules{5, seconds{900}, seconds{2}};

/// Fails that often, each time as soon as it may. @return when
Seconds fail(LoginCount& count, int times, Seconds now) {
  for (int i = 0; i < times; ++i) {
    while (const auto wait = begin_attempt(count, kRules, now)) now += *wait;
    end_in_failure(count, now);
  }
  return now;
}

TEST(Lockout, FirstAttemptsWaitForNothing) {
  LoginCount count;
  EXPECT_EQ(begin_attempt(count, kRules, kNow), std::nullopt);
  end_in_failure(count, kNow);
  EXPECT_EQ(begin_attempt(count, kRules, kNow), std::nullopt);
}

TEST(Lockout, EachFailureDoublesTheWait) {
  LoginCount count;
  const int kWaits[] = {2, 4, 8};
  auto now = fail(count, 2, kNow);
  for (const int wait : kWaits) {
    EXPECT_EQ(begin_attempt(count, kRules, now), seconds{wait});
    EXPECT_EQ(begin_attempt(count, kRules, now + seconds{wait - 1}), seconds{1});
    if (wait != kWaits[2]) now = fail(count, 1, now + seconds{wait});
  }
}

TEST(Lockout, TheLimitLocksForTheWholeTime) {
  LoginCount count;
  const auto now = fail(count, kRules.failures, kNow);
  EXPECT_EQ(begin_attempt(count, kRules, now), kRules.lockout);
  EXPECT_EQ(begin_attempt(count, kRules, now + kRules.lockout - seconds{1}), seconds{1});
  EXPECT_EQ(begin_attempt(count, kRules, now + kRules.lockout), std::nullopt);
  EXPECT_EQ(count.failures, 0);
}

TEST(Lockout, AttemptsAtTheSameTimePassNoLimit) {
  LoginCount count;
  int begun = 0;
  for (int i = 0; i < 20; ++i) begun += begin_attempt(count, kRules, kNow) ? 0 : 1;
  EXPECT_EQ(begun, kRules.failures);
  for (int i = 0; i < begun; ++i) end_in_failure(count, kNow);
  EXPECT_EQ(begin_attempt(count, kRules, kNow), kRules.lockout);
}

TEST(Lockout, FailuresAndAttemptsUnderWayCountTogether) {
  LoginCount count;
  const auto now = fail(count, 3, kNow) + seconds{10};
  EXPECT_EQ(begin_attempt(count, kRules, now), std::nullopt);
  EXPECT_EQ(begin_attempt(count, kRules, now), std::nullopt);
  EXPECT_EQ(begin_attempt(count, kRules, now), seconds{1});
}

TEST(Lockout, SuccessForgivesWhereItMay) {
  LoginCount count;
  const auto now = fail(count, 3, kNow) + seconds{10};
  ASSERT_EQ(begin_attempt(count, kRules, now), std::nullopt);
  end_in_success(count, false);
  EXPECT_EQ(count.failures, 3);
  ASSERT_EQ(begin_attempt(count, kRules, now), std::nullopt);
  end_in_success(count, true);
  EXPECT_EQ(count.failures, 0);
  EXPECT_EQ(count.pending, 0);
}

TEST(Lockout, WhatNobodyCouldTellIsNoFailure) {
  LoginCount count;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(begin_attempt(count, kRules, kNow), std::nullopt) << i;
    end_undecided(count);
  }
}

TEST(Lockout, AttemptsOfKilledWorkersCountAsFailures) {
  LoginCount count;
  for (int i = 0; i < kRules.failures; ++i) ASSERT_EQ(begin_attempt(count, kRules, kNow), std::nullopt);
  const auto later = kNow + kLongestAttempt;
  EXPECT_EQ(begin_attempt(count, kRules, later), kRules.lockout);
}

TEST(Lockout, AClockThatIsSetBackLocksNobodyForLonger) {
  LoginCount count;
  fail(count, kRules.failures, kNow);
  const auto earlier = kNow - std::chrono::hours{24 * 365};
  EXPECT_EQ(begin_attempt(count, kRules, earlier), kRules.lockout);
  EXPECT_EQ(begin_attempt(count, kRules, earlier + kRules.lockout), std::nullopt);
}

TEST(Lockout, NoDelayIsNone) {
  LoginCount count;
  const LockoutRules rules{5, seconds{60}, seconds{0}};
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(begin_attempt(count, rules, kNow), std::nullopt) << i;
    end_in_failure(count, kNow);
  }
  EXPECT_EQ(begin_attempt(count, rules, kNow), seconds{60});
}

}  // namespace
}  // namespace chancery::realm
