#include "server/signer/secret_box.h"

#include <gtest/gtest.h>

namespace chancery::signer {
namespace {

using std::chrono::seconds;

const Seconds kNow = base::from_rfc3339("2027-01-15T08:00:00Z").value();
const SecretBox::Clock::time_point kAt{};

std::vector<crypto::Share> made(std::string_view realm = "default", int shares = 5, int threshold = 3) {
  return crypto::split_secret(SecretBytes(std::string_view("correct horse")), realm, shares, threshold).value();
}

config::SecretConfig of_shares(const std::string& set = {}) {
  return {.method = "shares", .shares = 5, .threshold = 3, .set = set, .attempts = 3, .wait = seconds{10}};
}

Result<std::optional<SecretBytes>> enter(SecretBox& box, const crypto::Share& share, const std::string& by,
                                         SecretBox::Clock::time_point at = kAt) {
  return box.enter(crypto::share_text(share), by, kNow, at);
}

TEST(SecretBox, ThreeSharesOfThreePeopleAreTheSecret) {
  SecretBox box("default", of_shares());
  const auto shares = made();
  EXPECT_FALSE(enter(box, shares[4], "unix:a").value().has_value());
  EXPECT_FALSE(enter(box, shares[0], "unix:b").value().has_value());
  const auto secret = enter(box, shares[2], "unix:c").value();
  ASSERT_TRUE(secret);
  EXPECT_EQ(base::as_text(secret->view()), "correct horse");
  const auto given = box.settle(true, "unix:c", kAt);
  ASSERT_EQ(given.size(), 3U);
  EXPECT_EQ(given[0].index, 5);
  EXPECT_EQ(given[1].by, "unix:b");
  EXPECT_TRUE(box.given().empty());
}

TEST(SecretBox, RefusesWhatDoesNotFit) {
  struct Case {
    const char* name;
    Code want;
    const char* realm;
    bool same_set;
    int index;
    int threshold;
    const char* by;
  };
  const Case cases[] = {{"the same person", Code::Conflict, "default", true, 2, 3, "unix:a"},
                        {"the same share", Code::Conflict, "default", true, 1, 3, "unix:b"},
                        {"another realm", Code::InvalidParams, "devices", true, 2, 3, "unix:b"},
                        {"another threshold", Code::InvalidParams, "default", true, 2, 2, "unix:b"},
                        {"another set", Code::InvalidParams, "default", false, 2, 3, "unix:b"}};
  for (const auto& one : cases) {
    const auto shares = made();
    SecretBox box("default", of_shares());
    ASSERT_TRUE(enter(box, shares[0], "unix:a").ok());
    const crypto::Share share{one.realm, one.same_set ? shares[0].set : "00112233", one.index, one.threshold,
                              SecretBytes(base::as_text(shares[1].values.view()))};
    const auto entered = enter(box, share, one.by);
    ASSERT_FALSE(entered.ok()) << one.name;
    EXPECT_EQ(entered.error().code(), one.want) << one.name;
    EXPECT_EQ(box.given().size(), 1U) << one.name;
  }
}

TEST(SecretBox, TheConfiguredSetCountsFromTheFirstShareOn) {
  const auto shares = made();
  const auto others = made();
  SecretBox box("default", of_shares(shares[0].set));
  EXPECT_EQ(enter(box, others[0], "unix:a").error().code(), Code::InvalidParams);
  EXPECT_TRUE(enter(box, shares[0], "unix:a").ok());
  SecretBox open("default", of_shares());
  EXPECT_EQ(open.set(), "");
  EXPECT_TRUE(enter(open, others[0], "unix:a").ok());
  EXPECT_EQ(open.set(), others[0].set);
}

TEST(SecretBox, AttemptsCostTimeThatDoubles) {
  SecretBox box("default", of_shares());
  const auto shares = made();
  const SecretBytes wrong(std::string_view("chs1:nonsense"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(box.enter(wrong, "unix:a", kNow, kAt).error().code(), Code::Malformed);
  EXPECT_EQ(enter(box, shares[0], "unix:a").error().code(), Code::Busy);
  EXPECT_EQ(enter(box, shares[0], "unix:a", kAt + seconds{9}).error().code(), Code::Busy);
  EXPECT_TRUE(enter(box, shares[1], "unix:b").ok());
  EXPECT_EQ(box.enter(wrong, "unix:a", kNow, kAt + seconds{10}).error().code(), Code::Malformed);
  EXPECT_EQ(enter(box, shares[0], "unix:a", kAt + seconds{29}).error().code(), Code::Busy);
  EXPECT_TRUE(enter(box, shares[0], "unix:a", kAt + seconds{30}).ok());
}

TEST(SecretBox, WhatOpensTheKeyForgivesAndWhatDoesNotCounts) {
  config::SecretConfig config{.method = "prompt", .attempts = 2, .wait = seconds{10}};
  SecretBox box("default", config);
  const SecretBytes typed(std::string_view("x"));
  EXPECT_TRUE(box.enter(typed, "unix:a", kNow, kAt).value());
  box.settle(false, "unix:a", kAt);
  EXPECT_TRUE(box.enter(typed, "unix:a", kNow, kAt).value());
  box.settle(true, "unix:a", kAt);
  EXPECT_TRUE(box.enter(typed, "unix:a", kNow, kAt).value());
  box.settle(false, "unix:a", kAt);
  EXPECT_TRUE(box.enter(typed, "unix:a", kNow, kAt).value());
  box.settle(false, "unix:a", kAt);
  EXPECT_EQ(box.enter(typed, "unix:a", kNow, kAt).error().code(), Code::Busy);
}

TEST(SecretBox, NobodyIsAskedWhereAFileOpensTheKey) {
  SecretBox box("default", {});
  EXPECT_EQ(box.enter(SecretBytes(std::string_view("x")), "unix:a", kNow, kAt).error().code(), Code::Conflict);
}

TEST(SecretBox, ClearForgets) {
  SecretBox box("default", of_shares());
  const auto shares = made();
  ASSERT_TRUE(enter(box, shares[0], "unix:a").ok());
  box.clear();
  EXPECT_TRUE(box.given().empty());
  EXPECT_TRUE(enter(box, shares[0], "unix:a").ok());
}

}  // namespace
}  // namespace chancery::signer
