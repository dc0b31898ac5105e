#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/bytes.h"
#include "server/base/network.h"

namespace chancery::base {

/// Which names of hosts a rule means. One of:
///   host.example.com                that name alone
///   *.example.com, web-*.example.com  a glob: '*' stands for any part of one label, never for a dot
///   .example.com                    every name below it, at any depth; not itself
///   10.0.0.0/8, fd00::/8, 10.0.0.1  the addresses of a network
/// Letters are the same in either case.
class NamePattern {
 public:
  /// @errors Malformed: none of these; the message says what was expected.
  static Result<NamePattern> parse(std::string_view text);

  /// @param name  a DNS name in lower case; of a wildcard with its "*.", which only '*' and names from below match
  bool matches_name(std::string_view name) const;
  /// Whether a wildcard stands for some name that the pattern means. @param parent  the wildcard without its "*."
  bool is_below(std::string_view parent) const;
  /// @param octets  4 or 16
  bool matches_address(ByteView octets) const;

 private:
  std::vector<std::string> labels_;  ///< of a name or glob
  std::string suffix_;               ///< ".example.com"
  std::optional<Network> network_;
};

}  // namespace chancery::base
