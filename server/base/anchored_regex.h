#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::base {

inline constexpr std::size_t kMaxRegexOctets = 256;

/// A regular expression that means whole texts, as RE2 has it: matching takes time linear in the text, whatever both are, and no
/// back references. Letters of either case are the same.
class AnchoredRegex {
 public:
  /// @errors Malformed: no regular expression, or one that is too long or too big when it is compiled.
  static Result<AnchoredRegex> parse(std::string_view pattern);
  bool matches(std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;  ///< copies share it
};

}  // namespace chancery::base
