#include "clients/zmq/seed_limit.h"

namespace chancery::zmq_gateway {

bool SeedLimit::offer(const std::string& address, Time now) {
  if (per_minute_ == 0) return true;
  const std::lock_guard lock(mutex_);
  if (now - since_ >= kEvery) {
    offers_.clear();
    all_ = 0;
    since_ = now;
  }
  if (all_ >= kAddresses * per_minute_) return false;
  const auto found = offers_.find(address);
  if (found != offers_.end() && found->second >= per_minute_) return false;
  ++offers_[address];
  ++all_;
  return true;
}

void SeedLimit::take_back(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto found = offers_.find(address);
  if (found == offers_.end()) return;  // of the minute before
  --all_;
  if (--found->second == 0) offers_.erase(found);
}

std::size_t SeedLimit::rows() const {
  const std::lock_guard lock(mutex_);
  return offers_.size();
}

}  // namespace chancery::zmq_gateway
