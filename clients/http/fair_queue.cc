#include "clients/http/fair_queue.h"

#include <utility>

#include "server/base/result.h"

namespace chancery::http {

bool FairQueue::add(const Whose& whose, Job job) {
  if (waiting_ >= limits_.waiting_all) return false;
  const auto found = owners_.find(whose.owner);
  if (found != owners_.end() && found->second.waiting >= limits_.waiting_each) return false;
  auto& line = lines_[whose];
  if (line.empty()) turns_.push_back(whose);
  line.push_back(std::move(job));
  ++owners_[whose.owner].waiting;
  ++waiting_;
  return true;
}

/// Of those who may run something, who runs least; the first of them.
std::deque<FairQueue::Whose>::iterator FairQueue::next_turn() {
  auto least = turns_.end();
  std::size_t running = limits_.running_each;
  for (auto turn = turns_.begin(); turn != turns_.end() && running > 0; ++turn) {
    if (running_doors_[turn->door] >= limits_.running_door) continue;
    const auto of_owner = owners_.at(turn->owner).running;
    if (of_owner < running) least = turn, running = of_owner;
  }
  return least;
}

std::optional<FairQueue::Turn> FairQueue::next() {
  const auto found = next_turn();
  if (found == turns_.end()) return std::nullopt;
  Turn turn{std::move(*found), {}};
  turns_.erase(found);
  const auto line = lines_.find(turn.whose);
  turn.job = std::move(line->second.front());
  line->second.pop_front();
  if (line->second.empty()) {
    lines_.erase(line);
  } else {
    turns_.push_back(turn.whose);
  }
  auto& owner = owners_.at(turn.whose.owner);
  --owner.waiting;
  ++owner.running;
  ++running_doors_[turn.whose.door];
  --waiting_;
  return turn;
}

void FairQueue::end(const Whose& whose) {
  const auto found = owners_.find(whose.owner);
  PKI_CHECK(found != owners_.end() && found->second.running > 0 && running_doors_[whose.door] > 0);
  --found->second.running;
  --running_doors_[whose.door];
  forget(whose.owner);
}

void FairQueue::clear() {
  turns_.clear();
  lines_.clear();
  waiting_ = 0;
  for (auto& [owner, count] : owners_) count.waiting = 0;
  std::erase_if(owners_, [](const auto& entry) { return entry.second.running == 0; });
}

void FairQueue::forget(const std::string& owner) {
  const auto found = owners_.find(owner);
  if (found->second.running == 0 && found->second.waiting == 0) owners_.erase(found);
}

}  // namespace chancery::http
