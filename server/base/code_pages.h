#pragma once

#include <memory>
#include <thread>

#include "server/base/result.h"

namespace chancery::base {

/// Moves this program's own code from the file's pages to huge pages of memory that children share. A forked worker else finds
/// none of its code mapped, and takes a fault for every 64 KiB of it that it comes to: a quarter of what a connection costs.
///
/// Only for a program linked with its segments at the bounds of huge pages (configure.ac).
class CodeMove {
 public:
  /// Begins to copy, in a thread of its own: on machines that have to look for huge pages that takes as long as all the rest of a
  /// start.
  CodeMove();
  CodeMove(const CodeMove&) = delete;
  CodeMove& operator=(const CodeMove&) = delete;
  ~CodeMove();

  /// Waits for the copy; the thread is gone then. Before the process forks.
  void wait();
  /// From here on the code is read from the copy. @pre wait() was called, and there are no other threads
  /// @errors Unavailable: not linked so, no huge pages on this machine, or a rule against code in writable memory; nothing has
  /// changed then.
  Status finish();

 private:
  class Copy;
  std::unique_ptr<Copy> copy_;
  Status copied_;
  std::thread thread_;
};

}  // namespace chancery::base
