#include "server/base/calendar.h"

#include <string>

namespace chancery::base {

bool has_text(Seconds time) {
  constexpr Seconds kFirst{std::chrono::seconds{-62'167'219'200}};  // 0000-01-01T00:00:00Z
  constexpr Seconds kLast{std::chrono::seconds{253'402'300'799}};   // 9999-12-31T23:59:59Z
  return time >= kFirst && time <= kLast;
}

Result<Seconds> time_from_epoch(std::int64_t seconds) {
  const auto time = from_epoch(seconds);
  if (has_text(time)) return time;
  return Error(Code::Malformed, "time " + std::to_string(seconds) + ", expected seconds since 1970 in the years 0 to 9999");
}

}  // namespace chancery::base
