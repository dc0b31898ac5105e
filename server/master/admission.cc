#include "server/master/admission.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace chancery::master {

Admission::Admission(std::size_t max_workers, std::size_t max_per_uid)
    : slots_(max_workers), free_(max_workers), reserved_(std::min(kMostReserved, max_workers / 4)), max_per_uid_(max_per_uid) {
  std::iota(free_.rbegin(), free_.rend(), std::size_t{0});  // the lowest slot comes off the end first
}

Result<std::size_t> Admission::admit(const Peer& peer) {
  const Account account{peer.uid, peer.front_end};
  const std::size_t kept = peer.administrator ? 0 : reserved_;
  if (free_.size() <= kept) {
    return Error(Code::Busy, std::to_string(count()) + " of " + std::to_string(max_workers()) + " workers are in use",
                 "retry in some seconds");
  }
  const auto found = counts_.find(account);
  if (found != counts_.end() && found->second >= max_per_uid_) {
    return Error(Code::Busy,
                 "uid " + std::to_string(peer.uid) + " has " + std::to_string(found->second) + " workers, the most it may have",
                 "close a connection first");
  }
  const auto slot = free_.back();
  free_.pop_back();
  slots_[slot] = account;
  ++counts_[account];
  return slot;
}

void Admission::leave(std::size_t slot) {
  PKI_CHECK(slot < slots_.size());
  const auto found = counts_.find(slots_[slot]);
  PKI_CHECK(found != counts_.end());
  if (--found->second == 0) counts_.erase(found);
  free_.push_back(slot);
}

}  // namespace chancery::master
