#include "server/realm/lockout.h"

#include <algorithm>

namespace chancery::realm {
namespace {

constexpr int kFreeFailures = 1;  ///< everybody mistypes once
constexpr int kMostDoublings = 16;

/// How long after the latest failure the next attempt may begin.
std::chrono::seconds pause_after(int failures, const LockoutRules& rules) {
  if (failures >= rules.failures) return rules.lockout;
  if (failures <= kFreeFailures) return std::chrono::seconds{0};
  const int doublings = std::min(failures - kFreeFailures - 1, kMostDoublings);
  return std::min(rules.delay * (1 << doublings), rules.lockout);
}

/// What is over does not count: old failures, and attempts whose worker was killed.
void forget(LoginCount& count, const LockoutRules& rules, Seconds now) {
  // A clock that was set back locks nobody for longer than the rules do.
  count.last_failed_at = std::min(count.last_failed_at, now);
  if (now >= count.last_failed_at + rules.lockout) count.failures = 0;
  if (now >= count.pending_until || count.pending_until > now + kLongestAttempt) {
    // Nobody said how they ended: as failures, since whoever kills workers is no reason to let him try more often.
    if (count.pending > 0) count.failures += count.pending, count.last_failed_at = now;
    count.pending = 0;
  }
}

void end_one(LoginCount& count) { count.pending = std::max(count.pending - 1, 0); }

}  // namespace

std::optional<std::chrono::seconds> begin_attempt(LoginCount& count, const LockoutRules& rules, Seconds now) {
  forget(count, rules, now);
  const auto wait = count.last_failed_at + pause_after(count.failures, rules) - now;
  if (count.failures > 0 && wait > std::chrono::seconds{0}) return wait;
  // Those that are under way may all be wrong.
  if (count.failures + count.pending >= rules.failures) return std::chrono::seconds{1};
  ++count.pending;
  count.pending_until = now + kLongestAttempt;
  return std::nullopt;
}

void end_in_failure(LoginCount& count, Seconds now) {
  end_one(count);
  ++count.failures;
  count.last_failed_at = now;
}

void end_in_success(LoginCount& count, bool forgives) {
  end_one(count);
  if (forgives) count.failures = 0;
}

void end_undecided(LoginCount& count) { end_one(count); }

}  // namespace chancery::realm
