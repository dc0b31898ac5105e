#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace chancery::http {

/// Jobs of many owners that wait for the same few threads: a queue for each owner, served in turn, so that nobody waits for more
/// than one job of each other. For one thread at a time.
class FairQueue {
 public:
  using Job = std::function<void()>;

  struct Limits {
    std::size_t running_each;  ///< of one owner at a time, at least 1
    std::size_t waiting_each;
    std::size_t waiting_all;
  };
  struct Turn {
    std::string owner;
    Job job;
  };

  explicit FairQueue(Limits limits) : limits_(limits) {}

  /// @return false: as many wait already as may, of this owner or of all.
  bool add(const std::string& owner, Job job);
  /// The next one, which runs from now on. None: nothing waits but of owners that have as many running as they may.
  std::optional<Turn> next();
  /// One job of that owner, which next() gave, has ended.
  void end(const std::string& owner);
  void clear();

 private:
  struct Share {
    std::deque<Job> waiting;
    std::size_t running = 0;
    bool has_turn = false;  ///< it stands in turns_
  };

  void give_turn(const std::string& owner, Share& share);

  Limits limits_;
  std::size_t waiting_ = 0;
  std::map<std::string, Share> shares_;  ///< of owners that have something waiting or running
  std::deque<std::string> turns_;        ///< owners whose next job may run
};

}  // namespace chancery::http
