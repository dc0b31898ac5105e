#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "server/base/log.h"

namespace chancery::master {

/// A warning that is written at most once a minute, however often its cause comes (PROMISES D6).
class Occasional {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kInterval{1};

  /// @return the line to write, with the number of those kept back, or an empty text.
  std::string line(const std::string& message, Time now) {
    if (written_ && now - last_ < kInterval) {
      ++kept_back_;
      return {};
    }
    const auto more =
        kept_back_ == 0 ? std::string() : " (and " + std::to_string(kept_back_) + " times since the last such line)";
    written_ = true;
    last_ = now;
    kept_back_ = 0;
    return message + more;
  }

  void warn(const std::string& message) {
    if (const auto text = line(message, std::chrono::steady_clock::now()); !text.empty()) base::log_warning(text);
  }

 private:
  bool written_ = false;
  Time last_{};
  std::size_t kept_back_ = 0;
};

}  // namespace chancery::master
