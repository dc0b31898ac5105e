#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace chancery::zmq_gateway {

/// How many wrong registration seeds the peers of an endpoint may offer in a minute (PROMISES F54). An offer counts before it is
/// looked at, and is taken back when the seed was not wrong: so offers at the same time share the limit, and whoever has used it
/// up is refused with the right seed, too. For several threads. The table is bounded: it forgets everything each minute, and has
/// no more rows than there may be offers.
class SeedLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kEvery{1};
  static constexpr int kAddresses = 10;  ///< as many may use up their share; then all wait, since loopback has many addresses

  /// @param per_minute  of one address; 0: no limit.
  explicit SeedLimit(int per_minute) : per_minute_(per_minute) {}

  /// @return whether the seed may be looked at.
  bool offer(const std::string& address, Time now);
  /// The seed was right, or nobody looked at it.
  void take_back(const std::string& address);
  std::size_t rows() const;

 private:
  mutable std::mutex mutex_;
  int per_minute_;
  int all_ = 0;
  Time since_{};
  std::map<std::string, int> offers_;  ///< by address
};

}  // namespace chancery::zmq_gateway
