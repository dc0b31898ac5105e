#pragma once

#include <csignal>

namespace chancery::worker {

/// SIGTERM as a process of the daemon takes it: it is blocked but while the process waits (ppoll with waiting_mask()), so that it
/// ends a wait, never work in hand, and none comes unseen between a look and a wait. Threads started later inherit the block.
/// SIGPIPE, SIGHUP and SIGINT, which are the master's, are ignored from here on. One for a process, for its life.
class StopSignal {
 public:
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  /// Whether SIGTERM has come.
  static bool asked();
  const sigset_t& waiting_mask() const { return waiting_mask_; }

 private:
  sigset_t waiting_mask_{};
};

}  // namespace chancery::worker
