#include "server/store/lock_wait.h"

#include <chrono>
#include <thread>

namespace chancery::store {

/// A write transaction of ours takes well below a millisecond. SQLite's own handler would sleep for whole
/// milliseconds, then tens of them, while the lock is free again.
int wait_for_lock(void* /*context*/, int attempts) {
  constexpr std::chrono::milliseconds kBusyTimeout{700};  // of one attempt; several fit the 4 s of an answer
  constexpr int kBrief = 50;
  constexpr std::chrono::microseconds kBriefWait{100};
  constexpr std::chrono::microseconds kLongWait{1000};
  constexpr auto kMostAttempts = kBrief + static_cast<int>((kBusyTimeout - kBrief * kBriefWait) / kLongWait);
  if (attempts >= kMostAttempts) return 0;
  std::this_thread::sleep_for(attempts < kBrief ? kBriefWait : kLongWait);
  return 1;
}

}  // namespace chancery::store
