#include "server/worker/login_count.h"

#include <gtest/gtest.h>

#include "server/worker/testing.h"

namespace chancery::worker {
namespace {

using testing::Place;

const Status kRight;
const Status kWrong{Error(Code::AuthFailed, "another secret")};
const std::string kSecret = "challenge fleet a.example.com";

/// A front end's session in a realm that locks after three failures of one secret, or five of one client.
void in_front_end(const std::function<void(Session&, testing::SetClock&)>& use) {
  Place place;
  place.realm("default").people.limits = {.failures = 3, .failures_per_peer = 5, .delay = std::chrono::seconds{0}};
  place.server.front_ends.push_back({.name = "door", .program = {}, .user = "0", .realms = {"*"}, .roles = {Role::Frontend}});
  place.connect({0}, [&](Session& session) {
    ASSERT_TRUE(session.open("default", "door").ok());
    use(session, place.clock);
  });
}

/// @return whether it could be tried.
bool guess(Session& session, const std::string& whom, const std::string& secret, const Status& outcome) {
  EXPECT_TRUE(session.act_for(whom).ok()) << whom;
  auto attempt = LoginAttempt::begin_guess(session, secret);
  if (!attempt.ok()) {
    EXPECT_EQ(attempt.error().code(), Code::Busy);
    return false;
  }
  EXPECT_TRUE(attempt->end(outcome).ok());
  return true;
}

TEST(Guesses, NobodyLocksASecretForOthers) {
  in_front_end([](Session& session, testing::SetClock&) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(guess(session, "http:192.0.2.1", kSecret, kWrong)) << i;
    EXPECT_FALSE(guess(session, "http:192.0.2.1", kSecret, kRight));
    EXPECT_TRUE(guess(session, "http:192.0.2.2", kSecret, kRight));
    EXPECT_TRUE(guess(session, "acme:192.0.2.1", kSecret, kRight));
  });
}

TEST(Guesses, OfOneClientAreCountedUnderWhateverName) {
  in_front_end([](Session& session, testing::SetClock& clock) {
    for (int i = 0; i < 5; ++i)
      EXPECT_TRUE(guess(session, "http:192.0.2.1", "challenge fleet " + std::to_string(i), kWrong)) << i;
    EXPECT_FALSE(guess(session, "http:192.0.2.1", "challenge fleet another", kRight));
    EXPECT_TRUE(guess(session, "http:192.0.2.2", "challenge fleet another", kRight));
    clock.time += session.realm().people.limits.lockout;
    EXPECT_TRUE(guess(session, "http:192.0.2.1", "challenge fleet another", kRight));
  });
}

TEST(Guesses, WhoIsRightOnceIsNotForgivenTheOthers) {
  in_front_end([](Session& session, testing::SetClock&) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(guess(session, "http:192.0.2.1", "challenge fleet " + std::to_string(i), kWrong));
    EXPECT_TRUE(guess(session, "http:192.0.2.1", "challenge printers own", kRight));
    EXPECT_TRUE(guess(session, "http:192.0.2.1", "challenge fleet 4", kWrong));
    EXPECT_FALSE(guess(session, "http:192.0.2.1", "challenge printers own", kRight));
  });
}

TEST(Guesses, WhoIsRightIsForgivenTheSameSecret) {
  in_front_end([](Session& session, testing::SetClock&) {
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(guess(session, "http:192.0.2.1", kSecret, kWrong));
    EXPECT_TRUE(guess(session, "http:192.0.2.1", kSecret, kRight));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(guess(session, "http:192.0.2.1", kSecret, kWrong)) << i;
    EXPECT_TRUE(guess(session, "http:192.0.2.1", kSecret, kRight));
  });
}

TEST(Guesses, AV6ClientHasA64) {
  in_front_end([](Session& session, testing::SetClock&) {
    for (int i = 1; i <= 3; ++i) EXPECT_TRUE(guess(session, "http:2001:db8:0:1::" + std::to_string(i), kSecret, kWrong)) << i;
    EXPECT_FALSE(guess(session, "http:2001:db8:0:1:ffff::1", kSecret, kRight));
    EXPECT_TRUE(guess(session, "http:2001:db8:0:2::1", kSecret, kRight));
  });
}

TEST(Guesses, WhatNobodyCouldTellCountsNowhere) {
  in_front_end([](Session& session, testing::SetClock&) {
    const Status unknown{Error(Code::Unavailable, "the secret cannot be read")};
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(guess(session, "http:192.0.2.1", kSecret, unknown)) << i;
    EXPECT_TRUE(guess(session, "http:192.0.2.1", kSecret, kRight));
  });
}

}  // namespace
}  // namespace chancery::worker
