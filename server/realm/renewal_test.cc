#include "server/realm/renewal.h"

#include <gtest/gtest.h>

#include <set>

namespace chancery::realm {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr Seconds kStart{seconds{1'800'000'000}};

RenewalFacts facts(const std::string& serial, seconds life = days(90)) {
  return {Serial::from_hex(serial).value(), kStart, kStart + life, {}, {}};
}

TEST(Renewal, LiesInTheLastThirdAndEndsBeforeTheCertificate) {
  for (const auto life : {seconds(days(90)), seconds(days(7)), seconds(3600), seconds(60)}) {
    for (int i = 1; i < 50; ++i) {
      const auto one = facts(std::to_string(i), life);
      const auto window = renewal_window(one);
      EXPECT_GE(window.start, one.not_before + life * 2 / 3);
      EXPECT_LT(window.start, window.end);
      EXPECT_LT(window.end, one.not_after);
    }
  }
}

TEST(Renewal, IsTheSameForTheSameCertificateAndSpreadOverOthers) {
  EXPECT_EQ(renewal_window(facts("07")).start, renewal_window(facts("07")).start);
  std::set<Seconds> starts;
  for (int i = 1; i <= 100; ++i) starts.insert(renewal_window(facts(std::to_string(i))).start);
  EXPECT_GT(starts.size(), 95U);
  EXPECT_GT(*starts.rbegin() - *starts.begin(), days(5));
}

TEST(Renewal, OfARevokedCertificateHasPassed) {
  auto one = facts("07");
  one.ended_at = kStart + days(3);
  const auto window = renewal_window(one);
  EXPECT_EQ(window.end, *one.ended_at);
  EXPECT_LT(window.start, window.end);
  one.ended_at = kStart;  // in its first second
  EXPECT_LT(renewal_window(one).start, renewal_window(one).end);
}

TEST(Renewal, OfACertificateThatBeginsLaterHasPassedAllTheSame) {
  auto one = facts("07");
  one.ended_at = kStart - days(3);
  EXPECT_EQ(renewal_window(one).end, *one.ended_at);
  EXPECT_LT(renewal_window(one).start, renewal_window(one).end);
}

TEST(Renewal, EndsBeforeTheAuthorityDoes) {
  for (const auto left : {seconds(days(30)), seconds(days(1)), seconds(60), seconds(1), seconds(0), seconds(-60)}) {
    for (int i = 1; i < 50; ++i) {
      auto one = facts(std::to_string(i));
      one.authority_ends = kStart + left;
      const auto window = renewal_window(one);
      EXPECT_LE(window.end, *one.authority_ends) << left.count();
      EXPECT_LT(window.start, window.end) << left.count();
    }
  }
  auto one = facts("07");
  one.authority_ends = one.not_after + days(300);
  EXPECT_EQ(renewal_window(one).start, renewal_window(facts("07")).start);
}

TEST(Renewal, OfACertificateWithoutALifeIsAWindowStill) {
  const auto window = renewal_window(facts("07", seconds(0)));
  EXPECT_LT(window.start, window.end);
}

TEST(Renewal, OfAGenerationThatDrainsIsEarlierSpreadAndNotBeforeItWasReplaced) {
  std::set<Seconds> starts;
  for (int i = 1; i <= 100; ++i) {
    auto one = facts(std::to_string(i));
    const auto usual = renewal_window(one);
    one.replaced_at = kStart + days(20);
    const auto forward = renewal_window(one);
    EXPECT_GE(forward.start, *one.replaced_at);
    EXPECT_LT(forward.start, usual.start);
    EXPECT_LT(forward.start, forward.end);
    EXPECT_LT(forward.end, one.not_after);
    starts.insert(forward.start);
    one.replaced_at = kStart - days(20);  // which was before it
    EXPECT_GE(renewal_window(one).start, one.not_before);
    one.replaced_at = usual.start + days(1);  // its own window has begun already
    EXPECT_EQ(renewal_window(one).start, usual.start);
  }
  EXPECT_GT(starts.size(), 95U);
}

}  // namespace
}  // namespace chancery::realm
