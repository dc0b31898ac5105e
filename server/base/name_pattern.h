#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/anchored_regex.h"
#include "server/base/bytes.h"
#include "server/base/network.h"

namespace chancery::base {

/// Which names of hosts a rule means. One of:
///   host.example.com                that name alone
///   *.example.com, web-*.example.com  a glob: '*' stands for any part of one label, never for a dot
///   .example.com                    every name below it, at any depth; not itself
///   10.0.0.0/8, fd00::/8, 10.0.0.1  the addresses of a network
///   /web-[0-9]+\.example\.com/  a regular expression of the whole name (RE2), never of an address
/// Letters are the same in either case.
class NamePattern {
 public:
  /// @errors Malformed: none of these; the message says what was expected.
  static Result<NamePattern> parse(std::string_view text);

  /// @param name  a DNS name in lower case; of a wildcard with its "*.", which only '*' and names from below match
  bool matches_name(std::string_view name) const;
  /// Whether a wildcard may stand for some name that the pattern means; of a regular expression nobody can tell, so it may.
  /// @param parent  the wildcard without its "*."
  bool is_below(std::string_view parent) const;
  /// Of a name or glob what follows its last '*' and the label of that, of a suffix the suffix: ".example.com"; of a name without
  /// '*' that name. All names that it matches end with it, or are it. Empty: of another form, nothing can be said.
  const std::string& tail() const { return tail_; }
  /// As it was written, in lower case unless it is a regular expression.
  const std::string& text() const { return text_; }
  bool operator==(const NamePattern& other) const { return text_ == other.text_; }
  /// @param octets  4 or 16
  bool matches_address(ByteView octets) const;

 private:
  std::string text_;
  std::vector<std::string> labels_;  ///< of a name or glob
  std::string suffix_;               ///< ".example.com"
  std::string tail_;
  std::optional<Network> network_;
  std::optional<AnchoredRegex> regex_;
};

}  // namespace chancery::base
