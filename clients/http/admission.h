#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace chancery::http {

inline constexpr std::size_t kMaxConnections = 500;  ///< of one listener: a flood at one door is no business of the others
inline constexpr std::size_t kMaxPerAddress = 256;   ///< of one address that behaves
inline constexpr std::size_t kLeastPerAddress = 64;  ///< of one that does not: behind it may be many, most of them innocent
inline constexpr std::size_t kCrowd = kMaxConnections / 2;  ///< above it new connections get shorter deadlines

/// How many connections an address may have at once (PROMISES D3). Faults make it fewer, time makes it more again; none at all is
/// never the answer, since a new connection can always take the place of a silent one. The table is bounded.
class Admission {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMaxRows = 4096;
  static constexpr double kMostPoints = 1000;
  static constexpr double kForgivenPerSecond = 4;

  /// What counts as one client of a listener: an IPv4 address, the /64 of an IPv6 one.
  static std::string group_of(std::string_view listener, std::string_view address);

  void charge(const std::string& group, double points, Time now);
  std::size_t allowed(const std::string& group, Time now) const;
  std::size_t rows() const { return rows_.size(); }

 private:
  struct Row {
    double points = 0;
    Time since{};
    double left(Time now) const;
  };
  void make_room(Time now);

  std::unordered_map<std::string, Row> rows_;
};

}  // namespace chancery::http
