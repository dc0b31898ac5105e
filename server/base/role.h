#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"

namespace chancery::base {

/// DESIGN 4. Each role contains what its row in role.cc says.
enum class Role : std::uint8_t { Anonymous, User, RaOperator, CaOperator, Auditor, Frontend, Admin };

/// @errors Malformed: the message lists the roles.
Result<Role> role_from_text(std::string_view text);
std::string_view to_text(Role role);

/// A set of roles.
class Roles {
 public:
  Roles() = default;
  Roles(std::initializer_list<Role> roles) {
    for (const auto role : roles) add(role);
  }
  void add(Role role) { bits_ |= 1U << static_cast<unsigned>(role); }
  bool has(Role role) const { return (bits_ & 1U << static_cast<unsigned>(role)) != 0; }
  bool empty() const { return bits_ == 0; }
  /// Whether one of them is, or contains, that role.
  bool allow(Role least) const;
  /// What both sets allow, named by as few roles as say it: a front end never acts with more than either side has.
  Roles narrowed_to(const Roles& other) const;
  /// The names of the roles that were given, in the table's order.
  std::vector<std::string> names() const;
  bool operator==(const Roles&) const = default;

 private:
  unsigned bits_ = 0;
};

}  // namespace chancery::base

namespace chancery {
using base::Role;
using base::Roles;
}  // namespace chancery
