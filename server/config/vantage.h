#pragma once

#include <cstddef>

/// How many vantage points there may be, and how many of them must agree: what the CA/Browser Forum's Baseline Requirements
/// demand of public CAs (3.2.2.9, Quorum Requirements) is a private CA's default.
namespace chancery::config {

inline constexpr std::size_t kMostVantagePoints = 16;

/// How many of so many must agree where the realm does not say it: the only one, all but one of 2 to 5, all but two of more.
constexpr int usual_quorum(std::size_t points) {
  constexpr std::size_t kMany = 6;
  const std::size_t may_fail = points < 2 ? 0 : points < kMany ? 1 : 2;
  return static_cast<int>(points - may_fail);
}
static_assert(usual_quorum(0) == 0 && usual_quorum(1) == 1 && usual_quorum(2) == 1 && usual_quorum(5) == 4);
static_assert(usual_quorum(6) == 4 && usual_quorum(kMostVantagePoints) == 14);

}  // namespace chancery::config
