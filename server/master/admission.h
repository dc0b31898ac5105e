#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "server/base/result.h"

namespace chancery::master {

/// Counts workers and says who may have one more (PROMISES D1, D4, D5). Pure: it knows numbers, no processes.
class Admission {
 public:
  static constexpr std::size_t kMostReserved = 5;  ///< workers kept for administrators

  struct Peer {
    uid_t uid = 0;
    pid_t front_end = 0;         ///< the supervised front end that it is, or 0
    bool administrator = false;  ///< root or the server's own user, and no front end
  };

  /// A quarter of the workers is reserved, at most kMostReserved.
  Admission(std::size_t max_workers, std::size_t max_per_uid);

  std::size_t max_workers() const { return slots_.size(); }
  std::size_t count() const { return slots_.size() - free_.size(); }
  void set_max_per_uid(std::size_t most) { max_per_uid_ = most; }

  /// @return a slot below max_workers. A front end counts for itself, not for the user that it shares with others.
  /// @errors Busy: which limit is reached.
  Result<std::size_t> admit(const Peer& peer);
  void leave(std::size_t slot);

 private:
  using Account = std::pair<uid_t, pid_t>;  ///< user, front end

  std::vector<Account> slots_;
  std::vector<std::size_t> free_;
  std::map<Account, std::size_t> counts_;
  std::size_t reserved_;
  std::size_t max_per_uid_;
};

}  // namespace chancery::master
