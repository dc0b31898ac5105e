#include "server/master/admission.h"

#include <gtest/gtest.h>

#include <set>

namespace chancery::master {
namespace {

constexpr Admission::Peer kAlice{.uid = 1000};
constexpr Admission::Peer kBob{.uid = 1001};
constexpr Admission::Peer kRoot{.uid = 0, .administrator = true};
constexpr Admission::Peer kFrontEnd{.uid = 0, .front_end = 77};

/// How many of `tries` are admitted.
std::size_t admit(Admission& admission, const Admission::Peer& peer, std::size_t tries) {
  std::size_t admitted = 0;
  for (std::size_t i = 0; i < tries; ++i) admitted += admission.admit(peer).ok() ? 1 : 0;
  return admitted;
}

TEST(Admission, D1_NeverMoreThanTheLimit) {
  Admission admission(10, 100);
  EXPECT_EQ(admit(admission, kRoot, 1000), 10U);
  const auto refused = admission.admit(kRoot);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Busy);
  EXPECT_EQ(refused.error().message(), "10 of 10 workers are in use");
}

TEST(Admission, D4_TheLastFiveAreForAdministrators) {
  Admission admission(40, 100);
  EXPECT_EQ(admit(admission, kAlice, 100), 35U);
  EXPECT_EQ(admit(admission, kFrontEnd, 100), 0U);
  EXPECT_EQ(admit(admission, kRoot, 100), 5U);
}

TEST(Admission, D4_AFewWorkersReserveAQuarter) {
  for (const auto& [all, common] : std::map<std::size_t, std::size_t>{{1, 1}, {3, 3}, {4, 3}, {8, 6}, {20, 15}, {200, 195}}) {
    Admission admission(all, 1000);
    EXPECT_EQ(admit(admission, kAlice, 1000), common) << all;
  }
}

TEST(Admission, D5_AUserHasItsOwnLimit) {
  Admission admission(100, 3);
  EXPECT_EQ(admit(admission, kAlice, 10), 3U);
  const auto refused = admission.admit(kAlice);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Busy);
  EXPECT_EQ(refused.error().message(), "uid 1000 has 3 workers, the most it may have");
  EXPECT_EQ(admit(admission, kBob, 10), 3U);
}

TEST(Admission, D4_AFrontEndDoesNotUseUpTheServersUser) {
  Admission admission(100, 3);
  EXPECT_EQ(admit(admission, kFrontEnd, 10), 3U);
  EXPECT_EQ(admit(admission, kRoot, 10), 3U);
}

TEST(Admission, WhoLeavesMakesRoom) {
  Admission admission(2, 2);
  const auto first = admission.admit(kAlice);
  const auto second = admission.admit(kAlice);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(*first, *second);
  EXPECT_FALSE(admission.admit(kAlice).ok());
  admission.leave(*first);
  const auto third = admission.admit(kBob);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(*third, *first);
  EXPECT_FALSE(admission.admit(kAlice).ok());
}

TEST(Admission, SlotsAreDifferentAndBelowTheLimit) {
  Admission admission(50, 50);
  std::set<std::size_t> slots;
  for (int i = 0; i < 50; ++i) slots.insert(admission.admit(kRoot).value());
  EXPECT_EQ(slots.size(), 50U);
  EXPECT_EQ(*slots.rbegin(), 49U);
}

TEST(Admission, ANewLimitOfUsersCountsAtOnce) {
  Admission admission(100, 5);
  EXPECT_EQ(admit(admission, kAlice, 10), 5U);
  admission.set_max_per_uid(2);
  EXPECT_EQ(admit(admission, kAlice, 10), 0U);
  EXPECT_EQ(admit(admission, kBob, 10), 2U);
  admission.set_max_per_uid(7);
  EXPECT_EQ(admit(admission, kAlice, 10), 2U);
}

TEST(Admission, LeavingASlotNobodyHasIsABug) {
  Admission admission(2, 2);
  EXPECT_THROW(admission.leave(2), Bug);
  EXPECT_THROW(admission.leave(0), Bug);
}

}  // namespace
}  // namespace chancery::master
