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

Error refused(const std::string& call, const std::string& user) {
  return {Code::Denied, call + " for user " + user + ": " + std::strerror(errno)};
}

/// Whether a way back to root is open.
bool can_return() { return ::setuid(0) == 0 || ::seteuid(0) == 0; }

}  // namespace

Result<Account> find_user(const std::string& user) {
  const passwd* found = is_number(user) ? ::getpwuid(static_cast<uid_t>(std::stoul(user))) : ::getpwnam(user.c_str());
  if (found != nullptr) return Account{found->pw_uid, found->pw_gid, found->pw_name};
  return Error(Code::NotFound, "found no user \"" + user + "\" on this machine");
}

Result<gid_t> find_group(const std::string& group) {
  if (is_number(group)) return static_cast<gid_t>(std::stoul(group));
  const ::group* found = ::getgrnam(group.c_str());
  if (found != nullptr) return found->gr_gid;
  return Error(Code::NotFound, "found no group \"" + group + "\" on this machine");
}

Status become_user(const std::string& user) {
  PKI_TRY(const auto account, find_user(user));
  if (::getuid() == account.uid && ::geteuid() == account.uid) return {};
  if (::initgroups(account.name.c_str(), account.gid) != 0) return refused("initgroups", user);
  if (::setgid(account.gid) != 0) return refused("setgid", user);
  if (::setuid(account.uid) != 0) return refused("setuid", user);
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  if (::getresuid(&real, &effective, &saved) != 0) return refused("getresuid", user);
  if (real != account.uid || effective != account.uid || saved != account.uid || ::getgid() != account.gid) {
    return Error(Code::Denied, "found another user than " + user + " after the change");
  }
  if (account.uid != 0 && can_return()) return Error(Code::Denied, "user " + user + " can become root again");
  return {};
}

}  // namespace chancery::master
