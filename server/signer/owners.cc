#include "server/signer/owners.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "server/base/text.h"
#include "server/base/user.h"

namespace chancery::signer {
namespace {

namespace fs = std::filesystem;

/// What the workers write. The rest is the signer's: the key, its passphrase, the journal, the configuration and the CRLs.
constexpr std::array kWorkersParts{"db", "nodes"};

struct Account {
  uid_t uid;
  gid_t gid;
};

Result<Account> find(const std::string& user) {
  if (user.empty()) return Account{::geteuid(), ::getegid()};
  const auto found = base::find_user(user);
  if (found) return Account{found->uid, found->group};
  return Error(Code::NotFound, "found no user \"" + user + "\" on this machine");
}

Status give(const base::Path& path, const Account& account) {
  return ::lchown(path.c_str(), account.uid, account.gid) == 0 ? Status() : base::io_error("chown " + path.string(), errno);
}

Status give_tree(const base::Path& top, const Account& account) {
  PKI_TRY_VOID(give(top, account));
  std::error_code failure;
  for (const auto& one : fs::recursive_directory_iterator(top, failure)) PKI_TRY_VOID(give(one.path(), account));
  return failure ? base::io_error("list " + top.string(), failure.value()) : Status();
}

/// Groups and access lists may let others through; only what lets nobody through is certain.
bool lets_through(const struct stat& directory, const Account& account) {
  if (account.uid == 0) return true;
  if (directory.st_uid == account.uid) return (directory.st_mode & S_IXUSR) != 0;
  return (directory.st_mode & (S_IXGRP | S_IXOTH)) != 0;
}

Status check_way(const base::Path& directory, const std::string& user) {
  PKI_TRY(const auto account, find(user));
  base::Path at;
  for (const auto& part : directory) {
    at /= part;
    struct stat found {};
    if (::stat(at.c_str(), &found) != 0 || lets_through(found, account)) continue;
    return Error(Code::Denied,
                 at.string() + " has mode " + base::octal(found.st_mode & 07777) + " and belongs to uid " +
                     std::to_string(found.st_uid) + ", expected that user " + user + " gets through it",
                 "chmod o+x " + at.string() + ", or make the realm elsewhere");
  }
  return {};
}

}  // namespace

Status check_way(const base::Path& directory, const Owners& owners) {
  for (const auto* user : {&owners.signer, &owners.worker})
    if (!user->empty()) PKI_TRY_VOID(check_way(directory, *user));
  return {};
}

Status check_owners(const Owners& owners) {
  for (const auto* user : {&owners.signer, &owners.worker}) {
    PKI_TRY(const auto account, find(*user));
    if (::geteuid() == 0 || account.uid == ::geteuid()) continue;
    return Error(Code::Denied, "files for user " + *user + ", found uid " + std::to_string(::geteuid()) + ", expected root",
                 "only root gives files away");
  }
  return {};
}

Status give_away(const base::Path& directory, const Owners& owners) {
  PKI_TRY(const auto signer, find(owners.signer));
  PKI_TRY(const auto worker, find(owners.worker));
  if (signer.uid == ::geteuid() && worker.uid == ::geteuid()) return {};
  PKI_TRY_VOID(give_tree(directory, signer));
  for (const auto* part : kWorkersParts) PKI_TRY_VOID(give_tree(directory / part, worker));
  constexpr mode_t kThrough = 0755;
  return ::chmod(directory.c_str(), kThrough) == 0 ? Status() : base::io_error("chmod " + directory.string(), errno);
}

}  // namespace chancery::signer
