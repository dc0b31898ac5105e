#pragma once

#include <compare>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace chancery::http {

/// Jobs of many owners that wait for the same few threads: who has fewest of them goes first, those with as many in turn, so that
/// nobody waits for more than one job of each other. Each job comes by one of a few doors, which have a share of their own. For
/// one thread at a time.
class FairQueue {
 public:
  using Job = std::function<void()>;

  struct Limits {
    std::size_t running_each;  ///< of one owner at a time, at least 1
    std::size_t waiting_each;
    std::size_t waiting_all;
    std::size_t running_door = std::numeric_limits<std::size_t>::max();  ///< of one door at a time, at least 1
  };
  struct Whose {
    std::string owner;
    std::string door = {};
    auto operator<=>(const Whose&) const = default;
  };
  struct Turn {
    Whose whose;
    Job job;
  };

  explicit FairQueue(Limits limits) : limits_(limits) {}

  /// @return false: as many wait already as may, of this owner or of all.
  bool add(const Whose& whose, Job job);
  /// The next one, which runs from now on. None: nothing waits but of owners or doors that have as many running as they may.
  std::optional<Turn> next();
  /// One job, which next() gave, has ended.
  void end(const Whose& whose);
  void clear();
  bool has_waiting() const { return waiting_ > 0; }
  /// Whether anything of that owner's waits or runs.
  bool has(const std::string& owner) const { return owners_.contains(owner); }

 private:
  struct Count {
    std::size_t waiting = 0;
    std::size_t running = 0;
  };

  std::deque<Whose>::iterator next_turn();
  void forget(const std::string& owner);

  Limits limits_;
  std::size_t waiting_ = 0;
  std::map<Whose, std::deque<Job>> lines_;            ///< of those who wait
  std::deque<Whose> turns_;                           ///< the lines, in the order in which they had something last
  std::map<std::string, Count> owners_;               ///< that have something waiting or running
  std::map<std::string, std::size_t> running_doors_;  ///< doors are few
};

}  // namespace chancery::http
