#include "server/config/reach.h"

#include <algorithm>

#include "server/base/user.h"

namespace chancery::config {
namespace {

uid_t owner_of_socket(const ServerConfig& server) {
  const auto owner = base::find_user(server.socket_owner.empty() ? server.worker_user : server.socket_owner);
  return owner ? owner->uid : 0;
}

gid_t group_of_socket(const ServerConfig& server) {
  return server.socket_group.empty() ? 0 : base::find_group(server.socket_group).value_or(0);
}

bool is_member(const base::User& user, gid_t group) {
  const auto groups = base::groups_of(user);
  return std::ranges::find(groups, group) != groups.end();
}

}  // namespace

/// Connecting needs the right to write (unix(7)); the first of owner, group and others that fits decides, as for files.
bool may_connect(const ServerConfig& server, const std::string& user) {
  constexpr mode_t kOwnerWrites = 0200;
  constexpr mode_t kGroupWrites = 0020;
  constexpr mode_t kOthersWrite = 0002;
  const auto found = base::find_user(user);
  if (!found || found->uid == 0) return true;
  if (found->uid == owner_of_socket(server)) return (server.socket_mode & kOwnerWrites) != 0;
  return (server.socket_mode & (is_member(*found, group_of_socket(server)) ? kGroupWrites : kOthersWrite)) != 0;
}

}  // namespace chancery::config
