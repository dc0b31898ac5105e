#include "clients/http/fair_queue.h"

#include <utility>

#include "server/base/result.h"

namespace chancery::http {

bool FairQueue::add(const std::string& owner, Job job) {
  if (waiting_ >= limits_.waiting_all) return false;
  const auto found = shares_.find(owner);
  if (found != shares_.end() && found->second.waiting.size() >= limits_.waiting_each) return false;
  auto& share = shares_[owner];
  share.waiting.push_back(std::move(job));
  ++waiting_;
  give_turn(owner, share);
  return true;
}

std::optional<FairQueue::Turn> FairQueue::next() {
  if (turns_.empty()) return std::nullopt;
  Turn turn{std::move(turns_.front()), {}};
  turns_.pop_front();
  auto& share = shares_.at(turn.owner);
  share.has_turn = false;
  turn.job = std::move(share.waiting.front());
  share.waiting.pop_front();
  --waiting_;
  ++share.running;
  give_turn(turn.owner, share);
  return turn;
}

void FairQueue::end(const std::string& owner) {
  const auto found = shares_.find(owner);
  PKI_CHECK(found != shares_.end() && found->second.running > 0);
  --found->second.running;
  if (found->second.running == 0 && found->second.waiting.empty()) {
    shares_.erase(found);
    return;
  }
  give_turn(owner, found->second);
}

void FairQueue::clear() {
  turns_.clear();
  waiting_ = 0;
  for (auto& [owner, share] : shares_) {
    share.waiting.clear();
    share.has_turn = false;
  }
}

/// At the end of the line, if it has something to run and may.
void FairQueue::give_turn(const std::string& owner, Share& share) {
  if (share.has_turn || share.waiting.empty() || share.running >= limits_.running_each) return;
  share.has_turn = true;
  turns_.push_back(owner);
}

}  // namespace chancery::http
