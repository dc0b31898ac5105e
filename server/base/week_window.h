#pragma once

#include <bitset>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/result.h"

namespace chancery::base {

/// Hours of a week, in UTC: "mon-fri 08:00-18:00", "sat 10:00-12:00", "daily 06:00-24:00". Days and hours run forward: what goes
/// over midnight or over Sunday is two of them.
class WeekWindow {
 public:
  /// @errors Malformed: the message says what was expected.
  static Result<WeekWindow> parse(std::string_view text);

  /// The minute of the beginning is in, that of the end is not.
  bool contains(Seconds time) const;

 private:
  std::bitset<7> days_;  ///< Monday first
  int begin_ = 0;        ///< minutes since midnight
  int end_ = 0;
};

}  // namespace chancery::base
