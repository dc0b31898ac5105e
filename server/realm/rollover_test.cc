#include "server/realm/rollover.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace chancery::realm {
namespace {

using S = RolloverState;
using T = RolloverStep;

/// Where each step may be taken, or taken up again; everything else is refused. Written here a second time, by hand.
const std::map<T, std::map<S, S>> kLeadsTo{
    {T::Start,
     {{S::None, S::Prepared},
      {S::Draining, S::Prepared},
      {S::Retired, S::Prepared},
      {S::Aborted, S::Prepared},
      {S::Preparing, S::Prepared}}},
    {T::Publish, {{S::Prepared, S::Published}, {S::Publishing, S::Published}}},
    {T::Switch, {{S::Published, S::Draining}, {S::Switching, S::Draining}}},
    {T::Retire, {{S::Draining, S::Retired}, {S::Retiring, S::Retired}}},
    {T::Abort,
     {{S::Preparing, S::Aborted},
      {S::Prepared, S::Aborted},
      {S::Publishing, S::Aborted},
      {S::Published, S::Aborted},
      {S::Aborting, S::Aborted}}},
};

TEST(Rollover, EachStepInEachState) {
  for (const auto step : kRolloverSteps) {
    for (const auto state : kRolloverStates) {
      const auto row = next_row(state, step);
      const auto& may = kLeadsTo.at(step);
      const auto wanted = may.find(state);
      const auto what = std::string(to_text(step)) + " when " + std::string(to_text(state));
      EXPECT_EQ(row.ok(), wanted != may.end()) << what;
      if (row.ok()) {
        EXPECT_EQ((*row)->to, wanted->second) << what;
        EXPECT_EQ((*row)->step, step) << what;
      } else {
        EXPECT_EQ(row.error().code(), Code::Conflict) << what;
        EXPECT_EQ(row.error().hint(), "possible: " + steps_from(state)) << what;
      }
    }
  }
}

TEST(Rollover, WhatIsBegunCanBeDoneAgainAndNothingElseIsBegun) {
  std::set<S> begun;
  for (const auto& row : rollover_rows()) {
    EXPECT_TRUE(begun.insert(row.during).second) << to_text(row.during);
    EXPECT_EQ(begun_row(row.during), &row);
    EXPECT_EQ(*next_row(row.during, row.step), &row);
  }
  for (const auto state : kRolloverStates) EXPECT_EQ(begun_row(state) != nullptr, begun.contains(state)) << to_text(state);
}

TEST(Rollover, ThereIsNoWayBackAfterTheSwitchIsBegun) {
  for (const auto state : {S::Switching, S::Draining, S::Retiring, S::Retired})
    EXPECT_EQ(next_row(state, T::Abort).error().code(), Code::Conflict) << to_text(state);
}

TEST(Rollover, SaysWhatIsPossible) {
  EXPECT_EQ(steps_from(S::None), "start");
  EXPECT_EQ(steps_from(S::Prepared), "publish, abort");
  EXPECT_EQ(steps_from(S::Switching), "switch");
  EXPECT_EQ(steps_from(S::Draining), "start, retire");
}

TEST(Rollover, NamesReadBack) {
  for (const auto state : kRolloverStates) EXPECT_EQ(rollover_state(to_text(state)), state);
  EXPECT_FALSE(rollover_state("done"));
  EXPECT_FALSE(rollover_state(""));
}

}  // namespace
}  // namespace chancery::realm
