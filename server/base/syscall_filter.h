#pragma once

#include <linux/filter.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "server/base/result.h"

namespace chancery::base {

/// A system call that is refused, always or by the lower 32 bits of one argument, counted from 0.
struct CallRule {
  enum class When : std::uint8_t { Always, BitsSet, BitsClear };  ///< all of the bits, none of the bits
  long number = 0;
  int error = EPERM;
  When when = When::Always;
  int argument = 0;
  std::uint32_t bits = 0;
};

/// A filter of system calls (seccomp(2)). It is made once and installed by each child, so a program makes it before it forks; and
/// it is made here, since a library would do it anew in each of the workers, which live for a millisecond.
class CallFilter {
 public:
  /// What no rule names passes. @param rules  at least one, each number once.
  explicit CallFilter(std::vector<CallRule> rules);

  /// Puts this process under it, for good. @errors Io: the kernel has no seccomp filters.
  Status install() const;

 private:
  std::vector<sock_filter> code_;
};

}  // namespace chancery::base
