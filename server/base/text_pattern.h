#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/base/anchored_regex.h"

namespace chancery::base {

/// Which texts a rule means: `user:*` is a glob whose `*` stands for any run of characters, `/user:[a-z]+/` a regular expression
/// of the whole text, anything else that text alone. Letters of either case are the same.
class TextPattern {
 public:
  /// @errors Malformed: empty, too long, or a regular expression that is none.
  static Result<TextPattern> parse(std::string_view text);
  bool matches(std::string_view text) const;
  /// As it was written.
  const std::string& text() const { return text_; }
  bool operator==(const TextPattern& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::string glob_;  ///< in lower case
  std::optional<AnchoredRegex> regex_;
};

/// The expression within `/…/`; none: the text is not written as one.
std::optional<std::string_view> regex_within(std::string_view text);

}  // namespace chancery::base
