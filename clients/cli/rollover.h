#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/wire/json.h"

/// `chancery ca rollover REALM CA`: a rollover from whatever state it is in to its end. Every step is the server's, which knows
/// how far it is: whoever is cut off here asks again.
namespace chancery::cli {

/// The verb that the two words stand for: `ca rollover run`.
inline constexpr const char* kRolloverRun = "run";

/// Words of a command line in which `ca rollover REALM CA` is spelt out. @param verbs  of `ca rollover`, which no realm is
std::vector<std::string> with_rollover_run(std::vector<std::string> words, const std::vector<std::string>& verbs);

struct RolloverOrder {
  std::string realm;
  std::string ca;
  std::string to;    ///< the generation that is to come; empty: the one that is under way
  std::string from;  ///< as of ca.rollover.start
  bool no_wait = false;
  double every_seconds = 5;
};

/// What the walk needs of the world.
struct RolloverWorld {
  std::function<Result<Json>(const std::string& command, const Json& params)> call;  ///< a session of its own each time
  std::function<void(const std::string& line)> say;
  std::function<void(double seconds)> pause;
  std::function<Seconds()> now;
};

/// @return the answer of ca.rollover.status at the end. @errors Busy: it waits, and was told not to; Conflict: it was given up;
/// those of the steps.
Result<Json> run_rollover(const RolloverOrder& order, const RolloverWorld& world);

/// "published; 100 % of the living certificates are of ca (12 of 12), the last expires …; waits for …".
std::string rollover_line(const Json& status);

}  // namespace chancery::cli
