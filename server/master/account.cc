#include "server/master/account.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace chancery::master {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
}

Error refused(const std::string& call, const Account& account) {
  return {Code::Denied, call + " for uid " + std::to_string(account.uid) + ": " + std::strerror(errno),
          "only a server that root starts can give its processes users of their own"};
}

std::vector<gid_t> groups_of(const passwd& entry) {
  int count = 16;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (::getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) groups.resize(static_cast<std::size_t>(count));
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

/// Whether a way back to root is open.
bool can_return() { return ::setuid(0) == 0 || ::seteuid(0) == 0; }

}  // namespace

Result<Account> find_user(const std::string& user) {
  const passwd* found = is_number(user) ? ::getpwuid(static_cast<uid_t>(std::stoul(user))) : ::getpwnam(user.c_str());
  if (found != nullptr) return Account{found->pw_uid, found->pw_gid, groups_of(*found)};
  return Error(Code::NotFound, "found no user \"" + user + "\" on this machine");
}

Result<gid_t> find_group(const std::string& group) {
  if (is_number(group)) return static_cast<gid_t>(std::stoul(group));
  const ::group* found = ::getgrnam(group.c_str());
  if (found != nullptr) return found->gr_gid;
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
