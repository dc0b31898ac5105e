#pragma once

#include <sys/types.h>

#include <memory>

#include "server/base/fd.h"
#include "server/config/server_config.h"
#include "server/master/loop.h"
#include "server/master/pass_book.h"

namespace chancery::master {

/// Where one worker asks for the passes of its realm (base/realm_passes.h). It answers one message and is shut then, whatever the
/// message was: nobody takes the master's time twice, and no worker gets the passes of a second realm. Which realm the first one
/// is, the worker says: one that is taken over before session.open can still choose, but finds no pass in its memory.
class PassWindow {
 public:
  struct Pair {
    base::UniqueFd master;
    base::UniqueFd worker;
  };
  /// @errors Io: no descriptors.
  static Result<Pair> open();

  /// @param worker    its process, for the log
  /// @param snapshot  that the worker was forked with; kept until the window is shut
  /// @param books     outlive the window
  PassWindow(Loop& loop, base::UniqueFd socket, pid_t worker, std::shared_ptr<const config::Snapshot> snapshot, PassBooks& books);
  PassWindow(const PassWindow&) = delete;
  PassWindow& operator=(const PassWindow&) = delete;
  ~PassWindow() = default;

 private:
  void answer();
  Status give();

  base::UniqueFd socket_;
  pid_t worker_;
  std::shared_ptr<const config::Snapshot> snapshot_;
  PassBooks& books_;
  WatchPtr watch_;  ///< last: it goes before the socket
};

}  // namespace chancery::master
