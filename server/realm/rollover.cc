#include "server/realm/rollover.h"

#include <algorithm>

#include "server/x509/name_constraints.h"

namespace chancery::realm {
namespace {

using S = RolloverState;

struct StateName {
  RolloverState state;
  std::string_view text;
};
constexpr std::array<StateName, kRolloverStates.size()> kStateNames{{
    {S::None, "none"},
    {S::Preparing, "preparing"},
    {S::Prepared, "prepared"},
    {S::Publishing, "publishing"},
    {S::Published, "published"},
    {S::Switching, "switching"},
    {S::Draining, "draining"},
    {S::Retiring, "retiring"},
    {S::Retired, "retired"},
    {S::Aborting, "aborting"},
    {S::Aborted, "aborted"},
}};

struct StepName {
  RolloverStep step;
  std::string_view text;
};
constexpr std::array<StepName, kRolloverSteps.size()> kStepNames{{
    {RolloverStep::Start, "start"},
    {RolloverStep::Publish, "publish"},
    {RolloverStep::Switch, "switch"},
    {RolloverStep::Retire, "retire"},
    {RolloverStep::Abort, "abort"},
}};

/// The newest rollover's: while one generation drains the next may be needed already.
constexpr std::array kAtRest{S::None, S::Draining, S::Retired, S::Aborted};
constexpr std::array kPrepared{S::Prepared};
constexpr std::array kPublished{S::Published};
constexpr std::array kDraining{S::Draining};
constexpr std::array kBeforeTheSwitch{S::Preparing, S::Prepared, S::Publishing, S::Published};

constexpr std::array<RolloverRow, kRolloverSteps.size()> kRows{{
    {RolloverStep::Start, kAtRest, S::Preparing, S::Prepared},
    {RolloverStep::Publish, kPrepared, S::Publishing, S::Published},
    {RolloverStep::Switch, kPublished, S::Switching, S::Draining},
    {RolloverStep::Retire, kDraining, S::Retiring, S::Retired},
    {RolloverStep::Abort, kBeforeTheSwitch, S::Aborting, S::Aborted},
}};

bool may(const RolloverRow& row, RolloverState state) {
  return row.during == state || std::ranges::find(row.from, state) != row.from.end();
}

}  // namespace

std::string_view to_text(RolloverState state) { return std::ranges::find(kStateNames, state, &StateName::state)->text; }
std::string_view to_text(RolloverStep step) { return std::ranges::find(kStepNames, step, &StepName::step)->text; }

std::optional<RolloverState> rollover_state(std::string_view text) {
  const auto* const found = std::ranges::find(kStateNames, text, &StateName::text);
  return found == kStateNames.end() ? std::nullopt : std::optional(found->state);
}

std::span<const RolloverRow> rollover_rows() { return kRows; }

Result<const RolloverRow*> next_row(RolloverState state, RolloverStep step) {
  const auto* const row = std::ranges::find(kRows, step, &RolloverRow::step);
  if (may(*row, state)) return row;
  return Error(Code::Conflict,
               "the rollover is " + std::string(to_text(state)) + ", so there is no " + std::string(to_text(step)) + " now",
               "possible: " + steps_from(state));
}

const RolloverRow* begun_row(RolloverState state) {
  const auto* const row = std::ranges::find(kRows, state, &RolloverRow::during);
  return row == kRows.end() ? nullptr : row;
}

std::string steps_from(RolloverState state) {
  std::string out;
  for (const auto& row : kRows) {
    if (may(row, state)) out += (out.empty() ? "" : ", ") + std::string(to_text(row.step));
  }
  return out;
}

Status check_may_certify_next(const Authority& before) {
  const auto constraints = x509::name_constraints_of(before.certificate);
  if (constraints.ok() && !*constraints) return {};
  return Error(Code::PolicyRefused, "generation " + before.label + " has name constraints, which a new root would not have",
               "have the next one certified with them: --from request");
}

}  // namespace chancery::realm
