#include "clients/cli/rollover.h"

#include <gtest/gtest.h>

#include <deque>

namespace chancery::cli {
namespace {

const Seconds kNow = base::from_rfc3339("2027-01-15T08:00:00Z").value();

/// A server that answers from a list; the walk may ask no more than that.
struct Server {
  std::deque<std::pair<std::string, Result<Json>>> answers;
  std::vector<std::string> asked{}, said{};
  std::vector<double> pauses{};

  Result<Json> run(const RolloverOrder& order) {
    const RolloverWorld world{.call = [this](const std::string& command, const Json& params) -> Result<Json> {
                                asked.push_back(command.substr(12) + " " + params.text("ca") + " " + params.text("generation"));
                                if (answers.empty()) return Error(Code::Internal, "asked too often: " + command);
                                auto [expected, answer] = std::move(answers.front());
                                answers.pop_front();
                                EXPECT_EQ("ca.rollover." + expected, command);
                                return answer;
                              },
                              .say = [this](const std::string& line) { said.push_back(line); },
                              .pause = [this](double seconds) { pauses.push_back(seconds); },
                              .now = [] { return kNow; }};
    return run_rollover(order, world);
  }
};

Json in_state(const std::string& state, const std::string& waits = {}, const std::string& until = {}) {
  auto out = Json::object({{"ca", "ca"}, {"state", state}, {"old", "ca"}, {"new", "ca-2"}, {"changed_by", "unix:bob"}});
  if (!waits.empty()) out.set("waits_for", waits);
  if (!until.empty()) out.set("waits_until", until);
  return out;
}
const Json kNone = Json::object({{"ca", "ca"}, {"state", "none"}});
const RolloverOrder kOrder{.realm = "default", .ca = "ca", .to = {}, .from = {}};

TEST(Rollover, GoesThroughEveryStateAndWaitsNoLongerThanIsNeeded) {
  Server server{{{"status", kNone},
                 {"advance", in_state("prepared")},
                 {"status", in_state("prepared")},
                 {"advance", in_state("published", "readers", "2027-01-15T08:00:02Z")},
                 {"status", in_state("published", "readers", "2027-01-15T08:00:02Z")},
                 {"status", in_state("published")},
                 {"advance", in_state("draining", "the last", "2027-06-01T00:00:00Z")},
                 {"status", in_state("draining", "the last", "2027-06-01T00:00:00Z")},
                 {"status", in_state("retired")}}};
  const auto end = server.run(kOrder);
  ASSERT_TRUE(end.ok()) << end.error().message();
  EXPECT_EQ(end->text("state"), "retired");
  EXPECT_TRUE(server.answers.empty());
  EXPECT_EQ(server.pauses, (std::vector<double>{3, 5}));
  EXPECT_EQ(server.asked.front(), "status ca ");
  EXPECT_EQ(server.asked.back(), "status ca ca-2");  // whoever begins the next one meanwhile begins another
}

TEST(Rollover, SaysWhatItWaitsForWhenItIsNotToWait) {
  auto order = kOrder;
  order.no_wait = true;
  Server server{{{"status", in_state("published", "readers", "2027-01-15T09:00:00Z")}}};
  const auto end = server.run(order);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::Busy);
  EXPECT_NE(end.error().message().find("waits for readers, at 2027-01-15T09:00:00Z"), std::string::npos);
  EXPECT_TRUE(server.pauses.empty());
}

TEST(Rollover, OfOneThatHasEndedItBeginsNoOther) {
  Server server{{{"status", in_state("retired")}}};
  EXPECT_TRUE(server.run(kOrder).ok());
  EXPECT_NE(server.said.back().find("--to ca-3"), std::string::npos);
  Server given_up{{{"status", in_state("aborted")}}};
  const auto end = given_up.run(kOrder);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::Conflict);
  EXPECT_EQ(given_up.asked.size(), 1U);
}

TEST(Rollover, OneThatIsNamedIsBegunWhereItIsNotThere) {
  auto order = kOrder;
  order.to = "ca-2";
  Server server{{{"status", Error(Code::NotFound, "none")}, {"advance", in_state("prepared")}, {"status", in_state("retired")}}};
  EXPECT_TRUE(server.run(order).ok());
  Server other{{{"status", Error(Code::NotFound, "none")}, {"advance", Error(Code::NotFound, "the next one is ca-3")}}};
  const auto end = other.run(order);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::NotFound);
}

TEST(Rollover, WhatIsAwayIsWaitedForAndWhatRefusesIsNot) {
  Server away{{{"status", Error(Code::Closed, "gone")},
               {"status", Error(Code::Unavailable, "locked")},
               {"status", Error(Code::Unavailable, "locked")},
               {"status", Error(Code::Timeout, "slow")},
               {"status", in_state("retired")}}};
  EXPECT_TRUE(away.run(kOrder).ok());
  EXPECT_EQ(away.pauses, (std::vector<double>{5, 5, 5, 5}));
  Server first{
      {{"status", in_state("prepared")}, {"advance", Error(Code::Conflict, "somebody else")}, {"status", in_state("retired")}}};
  EXPECT_TRUE(first.run(kOrder).ok());
  Server stubborn{};
  for (int i = 0; i < 8; ++i) {
    stubborn.answers.emplace_back("status", in_state("prepared"));
    stubborn.answers.emplace_back("advance", Error(Code::Conflict, "never"));
  }
  EXPECT_EQ(stubborn.run(kOrder).error().code(), Code::Conflict);
  Server denied{{{"status", Error(Code::Denied, "no")}}};
  EXPECT_EQ(denied.run(kOrder).error().code(), Code::Denied);
}

TEST(Rollover, TheTwoWordsBehindItAreARealmAndACa) {
  const std::vector<std::string> verbs{"run", "start", "status"};
  using Words = std::vector<std::string>;
  struct Case {
    Words given, want;
  };
  const Case cases[] = {
      {{"ca", "rollover", "default", "ca"}, {"ca", "rollover", "run", "default", "ca"}},
      {{"--json", "ca", "rollover", "crl", "ca", "--no-wait"}, {"--json", "ca", "rollover", "run", "crl", "ca", "--no-wait"}},
      {{"ca", "rollover", "start", "ca"}, {"ca", "rollover", "start", "ca"}},
      {{"ca", "rollover", "strat"}, {"ca", "rollover", "strat"}},
      {{"ca", "rollover", "default", "--no-wait"}, {"ca", "rollover", "default", "--no-wait"}},
      {{"ca", "rollover", "--help", "ca"}, {"ca", "rollover", "--help", "ca"}},
      {{"ca", "list"}, {"ca", "list"}},
      {{}, {}},
  };
  for (const auto& one : cases) EXPECT_EQ(with_rollover_run(one.given, verbs), one.want);
}

TEST(Rollover, ALineTellsTheProgress) {
  auto status = in_state("draining", "the last certificate of ca to expire", "2027-06-01T00:00:00Z");
  status.set("living_old", 3).set("living_new", 9).set("percent_old", 25);
  EXPECT_EQ(
      rollover_line(status),
      "CA ca to ca-2: draining; 25 % of the living certificates are of ca (3 of 12); waits for the last certificate of ca to "
      "expire, at 2027-06-01T00:00:00Z");
  EXPECT_EQ(rollover_line(kNone), "CA ca: none");
}

}  // namespace
}  // namespace chancery::cli
