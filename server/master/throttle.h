#pragma once

#include <chrono>
#include <vector>

namespace chancery::master {

/// How soon a process that died may start again (PROMISES D18). A process that lives long enough has done work; one that dies
/// three times in a row before, within ten seconds, is broken and waits longer each time.
class Throttle {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t kMostDeaths = 3;
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr std::chrono::seconds kWork{10};  ///< a life of this length was work
  static constexpr std::chrono::seconds kFirstDelay{1};
  static constexpr std::chrono::seconds kLongestDelay{60};

  /// @return how long to wait before the next start; nothing to wait for: zero.
  std::chrono::seconds died(Time started, Time now);

  /// Whether the last death made it wait.
  bool throttled() const { return delay_ > std::chrono::seconds::zero(); }

 private:
  std::vector<Time> deaths_;
  std::chrono::seconds delay_{0};
};

}  // namespace chancery::master
