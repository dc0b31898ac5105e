#include "server/store/transaction.h"

#include <thread>

namespace chancery::store {
namespace {

constexpr std::chrono::milliseconds kFirstWait{10};

}  // namespace

bool Backoff::wait() {
  if (++tries_ >= most_tries_) return false;
  const auto longest = kFirstWait * (1 << tries_);
  const auto share = base::random_bytes(1).front();
  std::this_thread::sleep_for(longest / 2 + longest * share / 512);
  return true;
}

}  // namespace chancery::store
