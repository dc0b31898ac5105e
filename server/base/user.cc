#include "server/base/user.h"

#include <grp.h>
#include <pwd.h>

#include <charconv>

namespace chancery::base {
namespace {

std::optional<unsigned> as_number(const std::string& text) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<User> find_user(const std::string& name_or_number) {
  const auto number = as_number(name_or_number);
  const passwd* entry = number ? ::getpwuid(*number) : ::getpwnam(name_or_number.c_str());
  return entry == nullptr ? std::nullopt : std::optional(User{entry->pw_name, entry->pw_uid, entry->pw_gid});
}

std::vector<gid_t> groups_of(const User& user) {
  int count = 16;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (::getgrouplist(user.name.c_str(), user.group, groups.data(), &count) < 0) groups.resize(static_cast<std::size_t>(count));
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::optional<gid_t> find_group(const std::string& name_or_number) {
  if (const auto number = as_number(name_or_number)) return *number;
  const group* entry = ::getgrnam(name_or_number.c_str());
  return entry == nullptr ? std::nullopt : std::optional(entry->gr_gid);
}

std::string user_name(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

}  // namespace chancery::base
