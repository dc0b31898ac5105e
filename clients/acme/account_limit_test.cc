#include "clients/acme/account_limit.h"

#include <gtest/gtest.h>

namespace chancery::acme {
namespace {

using std::chrono::seconds;
constexpr AccountLimit::Time kStart{};

TEST(AccountLimit, C30_SoManyInAnHour) {
  AccountLimit limit;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limit.take("a", 100, kStart)) << i;
  EXPECT_EQ(limit.take("a", 100, kStart), seconds(36));
  EXPECT_FALSE(limit.take("b", 100, kStart));
}

TEST(AccountLimit, C30_TheRefusalSaysWhenToComeAgain) {
  AccountLimit limit;
  for (const int per_hour : {1, 7, 100, 100'000}) {
    const auto group = std::to_string(per_hour);
    for (int i = 0; i < per_hour; ++i) ASSERT_FALSE(limit.take(group, per_hour, kStart));
    const auto wait = limit.take(group, per_hour, kStart);
    ASSERT_TRUE(wait) << per_hour;
    EXPECT_GE(*wait, seconds(1)) << per_hour;
    if (*wait > seconds(1)) {
      EXPECT_TRUE(limit.take(group, per_hour, kStart + *wait - seconds(1))) << per_hour;
    }
    EXPECT_FALSE(limit.take(group, per_hour, kStart + *wait)) << per_hour;
    EXPECT_EQ(limit.take(group, per_hour, kStart + *wait).has_value(), per_hour < 3600) << per_hour;
  }
}

TEST(AccountLimit, C30_WhatMadeNoAccountIsGivenBack) {
  AccountLimit limit;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(limit.take("a", 1, kStart));
    limit.give_back("a");
  }
  limit.give_back("a");
  limit.give_back("nobody");
  EXPECT_FALSE(limit.take("a", 1, kStart));
  EXPECT_TRUE(limit.take("a", 1, kStart));
}

TEST(AccountLimit, C30_ZeroIsNoLimit) {
  AccountLimit limit;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(limit.take("a", 0, kStart));
  EXPECT_EQ(limit.rows(), 0U);
}

TEST(AccountLimit, C30_TheTableIsBounded) {
  AccountLimit limit;
  for (int i = 0; i < 2; ++i) limit.take("the worst", 2, kStart);
  for (std::size_t i = 0; i < 2 * AccountLimit::kMaxRows; ++i) limit.take("address " + std::to_string(i), 2, kStart);
  EXPECT_EQ(limit.rows(), AccountLimit::kMaxRows);
  EXPECT_TRUE(limit.take("the worst", 2, kStart));
  EXPECT_FALSE(limit.take("later", 2, kStart + std::chrono::hours(2)));
  EXPECT_EQ(limit.rows(), 1U);
}

}  // namespace
}  // namespace chancery::acme
