#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace chancery::acme {

/// How many new accounts a client may make in an hour (PROMISES C30, RFC 8555 6.6): a bucket of that many, which fills again over
/// an hour. For several threads. The table is bounded: nobody's memory ends with a flood from many addresses.
class AccountLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMaxRows = 4096;

  /// Takes one out of the client's bucket. @param group  See http::Admission::group_of. @param per_hour  0: no limit.
  /// @return how long until there is one, at least a second; nothing: it is taken.
  std::optional<std::chrono::seconds> take(const std::string& group, int per_hour, Time now);
  /// No account was made of it after all.
  void give_back(const std::string& group);
  std::size_t rows() const;

 private:
  struct Row {
    double taken = 0;
    double per_second = 0;  ///< how much of it comes back
    Time since{};
    double left(Time now) const;
  };
  void make_room(Time now);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Row> rows_;
};

}  // namespace chancery::acme
