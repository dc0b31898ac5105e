#pragma once

#include <algorithm>
#include <chrono>

namespace chancery::notify {

/// When something that failed is tried again: after 5 s, then twice as long each time, at most an hour.
class BackOff {
 public:
  using Clock = std::chrono::steady_clock;

  bool may_try(Clock::time_point now) const { return now >= next_; }
  void failed(Clock::time_point now) {
    constexpr std::chrono::seconds kFirst{5};
    constexpr std::chrono::seconds kLongest{std::chrono::hours{1}};
    next_ = now + std::min<std::chrono::seconds>(kFirst * (1 << std::min(failures_, 12)), kLongest);
    ++failures_;
  }
  void succeeded() { *this = BackOff(); }

 private:
  int failures_ = 0;
  Clock::time_point next_{};
};

}  // namespace chancery::notify
