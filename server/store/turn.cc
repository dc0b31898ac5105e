#include "server/store/turn.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace chancery::store {
namespace {

// The states of futex(7)'s usual lock.
constexpr std::uint32_t kFree = 0;
constexpr std::uint32_t kTaken = 1;
constexpr std::uint32_t kAwaited = 2;  ///< taken, and somebody sleeps

constexpr std::chrono::milliseconds kPatience{250};
static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);

/// @return false: nobody woke us in that time.
bool sleep_while_awaited(std::atomic<std::uint32_t>* word, std::chrono::nanoseconds limit) {
  const timespec timeout{limit.count() / 1000000000, limit.count() % 1000000000};
  const long result = ::syscall(SYS_futex, word, FUTEX_WAIT, kAwaited, &timeout, nullptr, 0);
  return result == 0 || errno != ETIMEDOUT;
}

}  // namespace

void Turn::take() noexcept {
  if (word_ == nullptr || mine_) return;
  auto expected = kFree;
  mine_ = word_->compare_exchange_strong(expected, kTaken, std::memory_order_acquire);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!mine_) {
    const auto left = deadline - std::chrono::steady_clock::now();
    mine_ = word_->exchange(kAwaited, std::memory_order_acquire) == kFree;
    if (mine_) return;
    if (left <= left.zero() || !sleep_while_awaited(word_, left)) mine_ = true;  // it was killed, or is slow: SQLite knows
  }
}

void Turn::leave() noexcept {
  if (word_ == nullptr || !mine_) return;
  mine_ = false;
  if (word_->exchange(kFree, std::memory_order_release) == kAwaited)
    ::syscall(SYS_futex, word_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace chancery::store
