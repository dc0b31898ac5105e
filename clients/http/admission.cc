#include "clients/http/admission.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace chancery::http {
namespace {

constexpr std::size_t kV6GroupOctets = 8;

}  // namespace

std::string Admission::group_of(std::string_view listener, std::string_view address) {
  const std::string text(address);
  const auto door = std::string(listener) + " ";
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  if (::inet_pton(AF_INET6, text.c_str(), octets.data()) != 1) return door + text;
  std::fill(octets.begin() + kV6GroupOctets, octets.end(), static_cast<unsigned char>(0));
  std::array<char, INET6_ADDRSTRLEN> group{};
  ::inet_ntop(AF_INET6, octets.data(), group.data(), group.size());
  return door + group.data() + "/64";
}

double Admission::Row::left(Time now) const {
  const std::chrono::duration<double> passed = now - since;
  return std::max(0.0, points - passed.count() * kForgivenPerSecond);
}

void Admission::charge(const std::string& group, double points, Time now) {
  if (rows_.size() >= kMaxRows && !rows_.contains(group)) make_room(now);
  auto& row = rows_[group];
  row = {std::min(row.left(now) + points, kMostPoints), now};
}

std::size_t Admission::allowed(const std::string& group, Time now) const {
  const auto found = rows_.find(group);
  const auto points = found == rows_.end() ? std::size_t{0} : static_cast<std::size_t>(found->second.left(now));
  return std::max(kLeastPerAddress, kMaxPerAddress - std::min(points, kMaxPerAddress));
}

/// Those forgiven go; if none is, the one nearest to it.
void Admission::make_room(Time now) {
  if (std::erase_if(rows_, [&](const auto& entry) { return entry.second.left(now) == 0; }) > 0) return;
  rows_.erase(std::ranges::min_element(rows_, {}, [&](const auto& entry) { return entry.second.left(now); }));
}

}  // namespace chancery::http
