#pragma once

#include <chrono>
#include <string_view>
#include <utility>

#include "server/base/fd.h"
#include "server/base/file.h"
#include "server/base/result.h"

namespace chancery::store {

/// That one process alone works at something of a database, of all that share its file: until it gives that up or ends, however
/// it ends. It is a lock of the kernel (fcntl(2), open file description locks) on one octet that is never written, of the file of
/// the shared words.
class Hold {
 public:
  /// @param what  names it
  /// @param patience  how long another one is waited for
  /// @errors Busy: another has it still; StoreFailed: there is nothing to lock.
  static Result<Hold> take(const base::Path& database, std::string_view what, std::chrono::milliseconds patience);

 private:
  explicit Hold(base::UniqueFd file) : file_(std::move(file)) {}
  base::UniqueFd file_;
};

}  // namespace chancery::store
