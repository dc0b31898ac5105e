#include "server/master/account.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/base/user.h"

namespace chancery::master {
namespace {

Error refused(const std::string& call, const Account& account) {
  return {Code::Denied, call + " for uid " + std::to_string(account.uid) + ": " + std::strerror(errno),
          "only a server that root starts can give its processes users of their own"};
}

/// Whether a way back to root is open.
bool can_return() { return ::setuid(0) == 0 || ::seteuid(0) == 0; }

}  // namespace

Result<Account> find_user(const std::string& user) {
  const auto found = base::find_user(user);
  if (found) return Account{found->uid, found->group, base::groups_of(*found)};
  return Error(Code::NotFound, "found no user \"" + user + "\" on this machine");
}

Result<gid_t> find_group(const std::string& group) {
  const auto found = base::find_group(group);
  if (found) return *found;
  return Error(Code::NotFound, "found no group \"" + group + "\" on this machine");
}

Result<std::optional<Account>> worker_account(const config::ServerConfig& server) {
  if (server.worker_user.empty()) return std::optional<Account>();
  PKI_TRY(auto account, find_user(server.worker_user));
  return std::optional(std::move(account));
}

Status become(const Account& account) {
  if (::getuid() == account.uid && ::geteuid() == account.uid) return {};
  if (::setgroups(account.groups.size(), account.groups.data()) != 0) return refused("setgroups", account);
  if (::setgid(account.gid) != 0) return refused("setgid", account);
  if (::setuid(account.uid) != 0) return refused("setuid", account);
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  if (::getresuid(&real, &effective, &saved) != 0) return refused("getresuid", account);
  const auto shown = "uid " + std::to_string(account.uid);
  if (real != account.uid || effective != account.uid || saved != account.uid || ::getgid() != account.gid) {
    return Error(Code::Denied, "found another user than " + shown + " after the change");
  }
  if (account.uid != 0 && can_return()) return Error(Code::Denied, shown + " can become root again");
  return {};
}

}  // namespace chancery::master
