#pragma once

#include <chrono>
#include <optional>

#include "server/base/clock.h"

/// How often one may try to log in. Pure: the store keeps the counts, and changes them in the transaction that asked.
namespace chancery::realm {

/// What is remembered of one name, or of one Unix user at the socket.
struct LoginCount {
  int failures = 0;  ///< in a row
  int pending = 0;   ///< attempts that began and have not ended
  Seconds last_failed_at{};
  Seconds pending_until{};  ///< whoever began has ended by then, killed maybe
  bool operator==(const LoginCount&) const = default;
};

struct LockoutRules {
  int failures;  ///< that lock
  std::chrono::seconds lockout;
  std::chrono::seconds delay;  ///< after the second failure, doubled after each further one
};

inline constexpr std::chrono::seconds kLongestAttempt{120};

/// Begins one attempt, before anything is compared, so that attempts at the same time cannot pass the limit.
/// @param count  in and out; changed only when the attempt may begin
/// @return how long to wait first; none: it has begun.
std::optional<std::chrono::seconds> begin_attempt(LoginCount& count, const LockoutRules& rules, Seconds now);
/// The attempt was wrong.
void end_in_failure(LoginCount& count, Seconds now);
/// It was right. @param forgives  earlier failures are forgotten
void end_in_success(LoginCount& count, bool forgives);
/// It came to nothing, for no fault of who tried.
void end_undecided(LoginCount& count);

}  // namespace chancery::realm
