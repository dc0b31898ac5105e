#include "clients/acme/account_limit.h"

#include <algorithm>
#include <cmath>

namespace chancery::acme {
namespace {

constexpr double kSecondsPerHour = 3600;
constexpr double kRounding = 1e-6;  ///< what sums of fractions may lack

}  // namespace

double AccountLimit::Row::left(Time now) const {
  const std::chrono::duration<double> passed = now - since;
  return std::max(0.0, taken - passed.count() * per_second);
}

std::optional<std::chrono::seconds> AccountLimit::take(const std::string& group, int per_hour, Time now) {
  if (per_hour == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (rows_.size() >= kMaxRows && !rows_.contains(group)) make_room(now);
  auto& row = rows_[group];
  const auto per_second = per_hour / kSecondsPerHour;
  row = {row.left(now), per_second, now};
  const auto above = row.taken + 1 - per_hour;
  if (above > kRounding) return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(above / per_second - kRounding)));
  row.taken += 1;
  return std::nullopt;
}

void AccountLimit::give_back(const std::string& group) {
  const std::lock_guard lock(mutex_);
  if (const auto row = rows_.find(group); row != rows_.end()) row->second.taken = std::max(0.0, row->second.taken - 1);
}

std::size_t AccountLimit::rows() const {
  const std::lock_guard lock(mutex_);
  return rows_.size();
}

/// Those with full buckets go; if none has one, the one nearest to it.
void AccountLimit::make_room(Time now) {
  if (std::erase_if(rows_, [&](const auto& entry) { return entry.second.left(now) == 0; }) > 0) return;
  rows_.erase(std::ranges::min_element(rows_, {}, [&](const auto& entry) { return entry.second.left(now); }));
}

}  // namespace chancery::acme
