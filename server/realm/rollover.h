#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/base/result.h"
#include "server/realm/authority.h"

/// How a CA gets its next generation: one table of states and steps. Pure; the worker does what a step says and stores the state
/// with compare-and-set, before and after, so that whoever finds a step begun can do it again.
namespace chancery::realm {

enum class RolloverState : std::uint8_t {
  None,        ///< nobody has begun one
  Preparing,   ///< the key is being made
  Prepared,    ///< the new generation has its key, and its certificate or the request for one
  Publishing,  ///< cross certificates are being made
  Published,   ///< everybody can fetch the new certificate and both cross certificates
  Switching,   ///< the new one begins to issue, the old one ends: no way back
  Draining,    ///< the old one signs CRLs until its last certificate has expired
  Retiring,
  Retired,
  Aborting,
  Aborted,
};
inline constexpr std::array kRolloverStates{
    RolloverState::None,      RolloverState::Preparing, RolloverState::Prepared, RolloverState::Publishing,
    RolloverState::Published, RolloverState::Switching, RolloverState::Draining, RolloverState::Retiring,
    RolloverState::Retired,   RolloverState::Aborting,  RolloverState::Aborted,
};
std::string_view to_text(RolloverState state);
std::optional<RolloverState> rollover_state(std::string_view text);

enum class RolloverStep : std::uint8_t { Start, Publish, Switch, Retire, Abort };
inline constexpr std::array kRolloverSteps{RolloverStep::Start, RolloverStep::Publish, RolloverStep::Switch, RolloverStep::Retire,
                                           RolloverStep::Abort};
std::string_view to_text(RolloverStep step);

/// A row: from one of these states, through `during`, to `to`.
struct RolloverRow {
  RolloverStep step;
  std::span<const RolloverState> from;
  RolloverState during;
  RolloverState to;
};
std::span<const RolloverRow> rollover_rows();

/// The row of a step that may be taken in that state, or that is begun and can be done again.
/// @errors Conflict: not from there; names what may be done instead.
Result<const RolloverRow*> next_row(RolloverState state, RolloverStep step);
/// The row that a state stands in the middle of; null: none is begun.
const RolloverRow* begun_row(RolloverState state);
/// "publish, abort"
std::string steps_from(RolloverState state);

/// Whether this realm itself may certify the next generation: what it makes has no name constraints, so one that has them would
/// be followed by one that may certify anything. @errors PolicyRefused.
Status check_may_certify_next(const Authority& before);

}  // namespace chancery::realm
