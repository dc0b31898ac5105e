#include "clients/lib/complaints.h"

#include <utility>

namespace chancery::client {
namespace {

constexpr const char* kOtherKinds = "other complaints";

}  // namespace

Complaints::Turn Complaints::take_turn(const std::string& kind, Time now) {
  const std::lock_guard lock(mutex_);
  auto found = rows_.find(kind);
  if (found == rows_.end()) {
    const bool is_full = rows_.size() >= kMaxKinds;
    const auto [row, is_new] = rows_.try_emplace(is_full ? kOtherKinds : kind, Row{now});
    if (is_new) return {true, 0};
    found = row;
  }
  auto& row = found->second;
  if (now - row.last < kEvery) {
    ++row.passed_over;
    return {};
  }
  row.last = now;
  return {true, std::exchange(row.passed_over, 0)};
}

std::vector<Complaints::Rest> Complaints::take_rests(Time now, bool all) {
  const std::lock_guard lock(mutex_);
  std::vector<Rest> rests;
  std::erase_if(rows_, [&](const auto& entry) {
    const auto& [kind, row] = entry;
    if (!all && now - row.last < kEvery) return false;
    if (row.passed_over > 0) rests.push_back({kind, row.passed_over});
    return true;
  });
  return rests;
}

void Complaints::log(base::LogLevel level, const std::string& kind, base::LogContext context, const std::string& message) {
  const auto turn = take_turn(kind, std::chrono::steady_clock::now());
  if (!turn.is_due) return;
  const auto more = turn.passed_over == 0 ? "" : " (and " + std::to_string(turn.passed_over) + " more of this kind before)";
  base::set_log_context(std::move(context));
  base::log(level, message + more);
  base::set_log_context({});
}

void Complaints::report(bool all) {
  for (const auto& rest : take_rests(std::chrono::steady_clock::now(), all)) {
    base::log_info("and " + std::to_string(rest.count) + " more of kind: " + rest.kind);
  }
}

}  // namespace chancery::client
