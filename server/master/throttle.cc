#include "server/master/throttle.h"

#include <algorithm>

namespace chancery::master {

std::chrono::seconds Throttle::died(Time started, Time now) {
  if (now - started >= kWork) {
    deaths_.clear();
    delay_ = std::chrono::seconds::zero();
  }
  if (throttled()) return delay_ = std::min(delay_ * 2, kLongestDelay);
  std::erase_if(deaths_, [&](Time death) { return now - death > kWindow; });
  deaths_.push_back(now);
  if (deaths_.size() >= kMostDeaths) delay_ = kFirstDelay;
  return delay_;
}

}  // namespace chancery::master
