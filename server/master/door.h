#pragma once

#include <functional>

#include "server/base/fd.h"
#include "server/master/loop.h"
#include "server/master/occasional.h"

namespace chancery::master {

/// The main socket: accepts connections and hands them on, without ever reading from one. When descriptors, memory or
/// processes run out it backs off, and turns away who waits by means of a descriptor kept for that (PROMISES D6, D7).
class Door {
 public:
  static constexpr std::chrono::milliseconds kPause{100};

  /// Serves a connection. @errors Io: the kernel is short of something; the door pauses.
  using Serve = std::function<Status(base::UniqueFd client)>;
  /// Turns a connection away.
  using Refuse = std::function<void(base::UniqueFd client, const Error& why)>;

  Door(Loop& loop, base::UniqueFd listener, Serve serve, Refuse refuse);
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  ~Door() = default;

 private:
  enum class Next { More, Nothing, Pause };

  void accept_some();
  Next accept_one();
  void turn_away_waiting();
  void pause(const Error& why);

  base::UniqueFd listener_;
  base::UniqueFd spare_;
  Serve serve_;
  Refuse refuse_;
  Occasional shortages_;
  WatchPtr waiting_;
  WatchPtr resume_;
};

}  // namespace chancery::master
