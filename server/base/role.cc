#include "server/base/role.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr unsigned bit(Role role) { return 1U << static_cast<unsigned>(role); }

constexpr unsigned kAnonymous = bit(Role::Anonymous);
constexpr unsigned kUser = bit(Role::User) | kAnonymous;
constexpr unsigned kRaOperator = bit(Role::RaOperator) | kUser;
constexpr unsigned kCaOperator = bit(Role::CaOperator) | kRaOperator;
constexpr unsigned kAuditor = bit(Role::Auditor) | kUser;
constexpr unsigned kFrontend = bit(Role::Frontend) | kUser;
constexpr unsigned kAdmin = bit(Role::Admin) | kCaOperator | kAuditor | kFrontend;

struct RoleRow {
  Role role;
  std::string_view text;
  unsigned contains;
};
constexpr std::array kRows{
    RoleRow{Role::Anonymous, "anonymous", kAnonymous},
    RoleRow{Role::User, "user", kUser},
    RoleRow{Role::RaOperator, "ra-operator", kRaOperator},
    RoleRow{Role::CaOperator, "ca-operator", kCaOperator},
    RoleRow{Role::Auditor, "auditor", kAuditor},
    RoleRow{Role::Frontend, "frontend", kFrontend},
    RoleRow{Role::Admin, "admin", kAdmin},
};

}  // namespace

Result<Role> role_from_text(std::string_view text) {
  for (const auto& row : kRows) {
    if (row.text == text) return row.role;
  }
  std::vector<std::string_view> known;
  for (const auto& row : kRows) known.push_back(row.text);
  const auto near = did_you_mean(text, known);
  return Error(
      Code::Malformed,
      "role \"" + printable(text, 40) + "\", expected anonymous, user, ra-operator, ca-operator, auditor, frontend or admin",
      near.empty() ? "" : "did you mean \"" + std::string(near) + "\"?");
}

std::string_view to_text(Role role) { return kRows.at(static_cast<std::size_t>(role)).text; }

bool Roles::allow(Role least) const {
  for (const auto& row : kRows) {
    if (has(row.role) && (row.contains & bit(least)) != 0) return true;
  }
  return false;
}

Roles Roles::narrowed_to(const Roles& other) const {
  unsigned both = 0;
  for (const auto& row : kRows) {
    if (allow(row.role) && other.allow(row.role)) both |= bit(row.role);
  }
  Roles out;
  for (const auto& row : kRows) {
    const auto contains_it = [&](const RoleRow& one) {
      return one.role != row.role && (both & bit(one.role)) != 0 && (one.contains & bit(row.role)) != 0;
    };
    if ((both & bit(row.role)) != 0 && std::ranges::none_of(kRows, contains_it)) out.add(row.role);
  }
  return out;
}

std::vector<std::string> Roles::names() const {
  std::vector<std::string> out;
  for (const auto& row : kRows) {
    if (has(row.role)) out.emplace_back(row.text);
  }
  return out;
}

}  // namespace chancery::base
