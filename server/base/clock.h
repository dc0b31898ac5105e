#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::base {

/// UTC, whole seconds: what certificates carry (RFC 5280 4.1.2.5).
using Seconds = std::chrono::sys_seconds;

/// The wall clock, for certificate dates only; budgets use std::chrono::steady_clock (PROMISES D42).
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Seconds now() const = 0;
};

class SystemClock : public Clock {
 public:
  Seconds now() const override;
};

/// RFC 3339 in UTC with a final Z: "2026-11-20T20:00:00Z".
std::string to_rfc3339(Seconds time);
/// Reads RFC 3339; other offsets than Z are converted, fractions of a second dropped. @errors Malformed.
Result<Seconds> from_rfc3339(std::string_view text);

/// A span for people: "60 days", "1 hour 30 minutes", "0 seconds". @param span  0 or more.
std::string in_words(std::chrono::seconds span);

/// Seconds since 1970, the form of the store.
inline std::int64_t to_epoch(Seconds time) { return time.time_since_epoch().count(); }
inline Seconds from_epoch(std::int64_t seconds) { return Seconds{std::chrono::seconds{seconds}}; }

}  // namespace chancery::base

namespace chancery {
using base::Seconds;
}
