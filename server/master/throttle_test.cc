#include "server/master/throttle.h"

#include <gtest/gtest.h>

namespace chancery::master {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Throttle::Time kBegin{};

/// Dies `count` times, a second after each start, and starts again after what the throttle says.
seconds die_often(Throttle& throttle, int count, Throttle::Time& now) {
  seconds delay{0};
  for (int i = 0; i < count; ++i) {
    const auto started = now;
    now += seconds(1);
    delay = throttle.died(started, now);
    now += delay;
  }
  return delay;
}

TEST(Throttle, D18_TwoDeathsWaitForNothing) {
  Throttle throttle;
  auto now = kBegin;
  EXPECT_EQ(die_often(throttle, 2, now), seconds(0));
  EXPECT_FALSE(throttle.throttled());
}

TEST(Throttle, D18_TheThirdDeathInTenSecondsWaits) {
  Throttle throttle;
  auto now = kBegin;
  EXPECT_EQ(die_often(throttle, 3, now), seconds(1));
  EXPECT_TRUE(throttle.throttled());
}

TEST(Throttle, D18_TheDelayDoublesUpToAMinute) {
  Throttle throttle;
  auto now = kBegin;
  die_often(throttle, 3, now);
  for (const int want : {2, 4, 8, 16, 32, 60, 60}) EXPECT_EQ(die_often(throttle, 1, now), seconds(want));
}

TEST(Throttle, D18_DeathsFarApartDoNotAddUp) {
  Throttle throttle;
  auto now = kBegin;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(throttle.died(now, now + milliseconds(10)), seconds(0)) << i;
    now += seconds(6);
  }
}

TEST(Throttle, D18_WorkForgivesEverything) {
  Throttle throttle;
  auto now = kBegin;
  die_often(throttle, 6, now);
  EXPECT_EQ(throttle.died(now, now + Throttle::kWork), seconds(0));
  EXPECT_FALSE(throttle.throttled());
}

TEST(Throttle, D18_AlmostWorkForgivesNothing) {
  Throttle throttle;
  auto now = kBegin;
  die_often(throttle, 3, now);
  EXPECT_EQ(throttle.died(now, now + Throttle::kWork - milliseconds(1)), seconds(2));
}

}  // namespace
}  // namespace chancery::master
