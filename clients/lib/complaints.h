#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/log.h"

namespace chancery::client {

/// Log lines about what strangers do, so that a thousand of the same cost two lines: the first of a kind is logged at once, the
/// further ones are counted and told with the next line of their kind or by report(). Any thread may call.
class Complaints {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kEvery{1};
  static constexpr std::size_t kMaxKinds = 512;  ///< further kinds count as one

  /// Whether to log now, and how many were passed over since the last line of the kind.
  struct Turn {
    bool is_due = false;
    std::uint64_t passed_over = 0;
  };
  Turn take_turn(const std::string& kind, Time now);

  /// One kind of which nobody has told yet how often it came again.
  struct Rest {
    std::string kind;
    std::uint64_t count = 0;
  };
  /// The kinds whose minute is over; they start anew. @param all  those whose minute is not over, too.
  std::vector<Rest> take_rests(Time now, bool all);

  /// Logs the message with its context if it is the kind's turn.
  ///
  /// @param kind  what counts as the same: our own words, a realm that exists; never text of the stranger's choice.
  void log(base::LogLevel level, const std::string& kind, base::LogContext context, const std::string& message);
  /// Logs what take_rests gives.
  void report(bool all = false);

 private:
  struct Row {
    Time last;
    std::uint64_t passed_over = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Row> rows_;
};

}  // namespace chancery::client
