#include "server/config/reach.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace chancery::config {
namespace {

struct User {
  std::string name;
  uid_t uid;
  gid_t group;
};

std::optional<unsigned> as_number(const std::string& text) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<User> find_user(const std::string& name) {
  const auto number = as_number(name);
  const auto* entry = number ? ::getpwuid(*number) : ::getpwnam(name.c_str());
  return entry == nullptr ? std::nullopt : std::optional(User{entry->pw_name, entry->pw_uid, entry->pw_gid});
}

uid_t owner_of_socket(const ServerConfig& server) {
  const auto owner = find_user(server.socket_owner.empty() ? server.worker_user : server.socket_owner);
  return owner ? owner->uid : 0;
}

gid_t group_of_socket(const ServerConfig& server) {
  if (const auto number = as_number(server.socket_group)) return *number;
  const auto* entry = server.socket_group.empty() ? nullptr : ::getgrnam(server.socket_group.c_str());
  return entry == nullptr ? 0 : entry->gr_gid;
}

bool is_member(const User& user, gid_t group) {
  constexpr int kMost = 1024;
  std::vector<gid_t> groups(kMost);
  int count = kMost;
  if (::getgrouplist(user.name.c_str(), user.group, groups.data(), &count) < 0) return true;  // too many to say
  groups.resize(static_cast<std::size_t>(count));
  return std::ranges::find(groups, group) != groups.end();
}

}  // namespace

/// Connecting needs the right to write (unix(7)); the first of owner, group and others that fits decides, as for files.
bool may_connect(const ServerConfig& server, const std::string& user) {
  constexpr mode_t kOwnerWrites = 0200;
  constexpr mode_t kGroupWrites = 0020;
  constexpr mode_t kOthersWrite = 0002;
  const auto found = find_user(user);
  if (!found || found->uid == 0) return true;
  if (found->uid == owner_of_socket(server)) return (server.socket_mode & kOwnerWrites) != 0;
  return (server.socket_mode & (is_member(*found, group_of_socket(server)) ? kGroupWrites : kOthersWrite)) != 0;
}

}  // namespace chancery::config
