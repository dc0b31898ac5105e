#include "clients/lib/complaints.h"

#include <gtest/gtest.h>

namespace chancery::client {
namespace {

using Time = Complaints::Time;

TEST(Complaints, D41_AThousandOfAKindAreTwoLines) {
  Complaints all;
  const Time start{};
  EXPECT_TRUE(all.take_turn("bad request", start).is_due);
  for (int i = 0; i < 999; ++i) EXPECT_FALSE(all.take_turn("bad request", start + std::chrono::milliseconds(i)).is_due) << i;
  const auto later = all.take_turn("bad request", start + Complaints::kEvery);
  EXPECT_TRUE(later.is_due);
  EXPECT_EQ(later.passed_over, 999U);
  EXPECT_FALSE(all.take_turn("bad request", start + Complaints::kEvery).is_due);
}

TEST(Complaints, KindsDoNotHideEachOther) {
  Complaints all;
  EXPECT_TRUE(all.take_turn("a", {}).is_due);
  EXPECT_TRUE(all.take_turn("b", {}).is_due);
  EXPECT_FALSE(all.take_turn("a", {}).is_due);
}

TEST(Complaints, WhatWasPassedOverIsToldWhenNoneOfItsKindFollows) {
  Complaints all;
  const Time start{};
  for (int i = 0; i < 5; ++i) all.take_turn("a", start);
  all.take_turn("once", start);
  EXPECT_TRUE(all.take_rests(start, false).empty());
  const auto rests = all.take_rests(start + Complaints::kEvery, false);
  ASSERT_EQ(rests.size(), 1U);
  EXPECT_EQ(rests.front().kind, "a");
  EXPECT_EQ(rests.front().count, 4U);
  EXPECT_TRUE(all.take_rests(start + Complaints::kEvery * 2, false).empty());
}

TEST(Complaints, AtTheEndNothingIsKeptBack) {
  Complaints all;
  all.take_turn("a", {});
  all.take_turn("a", {});
  EXPECT_EQ(all.take_rests({}, true).size(), 1U);
}

TEST(Complaints, TheTableIsBounded) {
  Complaints all;
  for (std::size_t i = 0; i < Complaints::kMaxKinds; ++i) EXPECT_TRUE(all.take_turn("kind " + std::to_string(i), {}).is_due);
  EXPECT_TRUE(all.take_turn("one more", {}).is_due);
  EXPECT_FALSE(all.take_turn("another one", {}).is_due);
  EXPECT_EQ(all.take_rests({}, true).size(), 1U);
}

}  // namespace
}  // namespace chancery::client
