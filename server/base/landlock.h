#pragma once

#include <cstdint>

#include "server/base/fd.h"
#include "server/base/file.h"

/// What of the file system a process may still reach (landlock(7)). Rights are given by path; what was opened before stays open.
/// A rule for a file is the file's, not its name's: one that is replaced later is not reached. Sockets are not files to it.
namespace chancery::base {

class Landlock {
 public:
  enum class Access {
    Read,       ///< a file, or a directory and all below it
    Write,      ///< an existing file
    ReadWrite,  ///< that, and making, renaming and removing below a directory
  };

  /// Nothing is allowed yet. Where the kernel has none (before 5.13), enforce changes nothing.
  Landlock();
  bool is_there() const { return static_cast<bool>(ruleset_); }
  /// A path that is not there is passed over.
  void allow(const Path& path, Access access) const;
  /// For this thread and what it starts from now on. @return false: the kernel has none. @errors Io.
  Result<bool> enforce() const;

 private:
  UniqueFd ruleset_;
};

}  // namespace chancery::base
