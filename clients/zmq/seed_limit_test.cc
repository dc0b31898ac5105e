#include "clients/zmq/seed_limit.h"

#include <gtest/gtest.h>

namespace chancery::zmq_gateway {
namespace {

using std::chrono::seconds;
constexpr SeedLimit::Time kStart{std::chrono::hours(1)};

TEST(SeedLimit, F54_SoManyInAMinute) {
  SeedLimit limit(10);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limit.offer("a", kStart)) << i;
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(limit.offer("a", kStart + seconds(i))) << i;
  EXPECT_TRUE(limit.offer("b", kStart));
  EXPECT_TRUE(limit.offer("a", kStart + seconds(60)));
}

TEST(SeedLimit, F54_AMinuteBeginsWithItsFirstOffer) {
  SeedLimit limit(1);
  EXPECT_TRUE(limit.offer("a", kStart));
  EXPECT_TRUE(limit.offer("a", kStart + seconds(90)));
  EXPECT_FALSE(limit.offer("a", kStart + seconds(149)));
  EXPECT_TRUE(limit.offer("a", kStart + seconds(150)));
}

TEST(SeedLimit, F54_AllAddressesTogetherHaveALimit) {
  SeedLimit limit(10);
  int offers = 0;
  for (int i = 0; i < 100'000; ++i)
    offers += limit.offer("127.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), kStart);
  EXPECT_EQ(offers, 10 * SeedLimit::kAddresses);
  EXPECT_EQ(limit.rows(), 100U);
  EXPECT_FALSE(limit.offer("127.0.0.1", kStart));
  EXPECT_TRUE(limit.offer("127.0.0.1", kStart + seconds(60)));
  EXPECT_EQ(limit.rows(), 1U);
}

TEST(SeedLimit, F54_RightSeedsAreTakenBack) {
  SeedLimit limit(2);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(limit.offer("a", kStart)) << i;
    limit.take_back("a");
  }
  EXPECT_EQ(limit.rows(), 0U);
  limit.take_back("a");  // of the minute before
  limit.take_back("nobody");
  EXPECT_TRUE(limit.offer("a", kStart));
  EXPECT_TRUE(limit.offer("a", kStart));
  EXPECT_FALSE(limit.offer("a", kStart));
}

TEST(SeedLimit, ZeroIsNoLimit) {
  SeedLimit limit(0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.offer("a", kStart));
  EXPECT_EQ(limit.rows(), 0U);
}

}  // namespace
}  // namespace chancery::zmq_gateway
