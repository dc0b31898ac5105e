#include "server/master/run_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "server/base/file.h"
#include "server/base/text.h"
#include "server/master/account.h"
#include "server/master/activation.h"

namespace chancery::master {
namespace {

constexpr int kBacklog = 1024;  ///< connects that wait while the master forks (PROMISES D6); the kernel's somaxconn bounds it
constexpr mode_t kInnerSocketMode = 0600;
constexpr int kMostLockTries = 10;
// A child of a killed master holds what it inherited for a moment, until it closes that or notices its parent's death.
constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::chrono::milliseconds kPause{20};

/// What attempt says in the end: "somebody else has it" is believed after a while only.
template <typename Attempt>
auto patiently(Code somebody_else, const Attempt& attempt) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto result = attempt();
    if (result.ok() || result.error().code() != somebody_else || std::chrono::steady_clock::now() >= deadline) return result;
    std::this_thread::sleep_for(kPause);
  }
}

Status check_directory(const std::filesystem::path& directory) {
  struct stat found {};
  if (::stat(directory.c_str(), &found) != 0) return base::io_error("stat " + directory.string(), errno);
  if ((found.st_mode & 022) == 0) return {};
  return Error(Code::Denied,
               "run directory " + directory.string() + " has mode " + base::octal(found.st_mode & 07777) +
                   ", expected one that neither group nor others may write to",
               "chmod go-w " + directory.string());
}

Status make_run_directory(const config::ServerConfig& server) {
  const auto& directory = server.run_directory;
  std::error_code ignored;
  if (std::filesystem::is_directory(directory, ignored)) return check_directory(directory);
  const bool is_open_to_others = (server.socket_mode & 007) != 0;
  // Workers and front ends of users of their own go through it to the sockets, whose modes then decide.
  const mode_t for_others = is_open_to_others ? 05 : server.has_users() ? 01 : 0;
  const mode_t mode = 0750 | for_others;
  PKI_TRY_VOID(base::make_directories(directory, mode));
  // The umask took away what others and the group need to reach the socket.
  if (::chmod(directory.c_str(), mode) != 0) return base::io_error("chmod " + directory.string(), errno);
  if (server.socket_group.empty()) return {};
  PKI_TRY(const auto group, find_group(server.socket_group));
  if (::chown(directory.c_str(), static_cast<uid_t>(-1), group) != 0) return base::io_error("chown " + directory.string(), errno);
  return {};
}

/// Whether the locked file is still the one under that name: a master that ends removes it while it holds the lock.
bool is_current(int descriptor, const std::filesystem::path& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

Result<base::UniqueFd> take_lock(const std::filesystem::path& pid_file) {
  for (int i = 0; i < kMostLockTries; ++i) {
    auto lock = patiently(Code::Busy, [&] { return base::lock_file(pid_file, std::to_string(::getpid()) + "\n"); });
    if (!lock.ok() && lock.error().code() == Code::Busy) {
      return Error(Code::Busy, "another chanceryd serves this run directory: " + lock.error().message());
    }
    if (!lock.ok()) return lock.error();
    if (is_current(lock->get(), pid_file)) return std::move(lock).value();
  }
  return Error(Code::Busy, pid_file.string() + " is replaced again and again");
}

Status set_owner(const std::filesystem::path& path, const config::ServerConfig& server) {
  const auto& owner = server.socket_owner.empty() ? server.worker_user : server.socket_owner;
  if (owner.empty() && server.socket_group.empty()) return {};
  auto uid = static_cast<uid_t>(-1);
  auto gid = static_cast<gid_t>(-1);
  if (!owner.empty()) {
    PKI_TRY(const auto account, find_user(owner));
    uid = account.uid;
  }
  if (!server.socket_group.empty()) {
    PKI_TRY(gid, find_group(server.socket_group));
  }
  if (::chown(path.c_str(), uid, gid) != 0) return base::io_error("chown " + path.string(), errno);
  return {};
}

/// A socket that workers alone may open.
Result<base::UniqueFd> open_inner_socket(const config::ServerConfig& server, const std::filesystem::path& path) {
  // We hold the directory's lock, so whoever still listens is a killed master's child whose end the kernel has not finished.
  PKI_TRY(auto socket, base::listen_unix(path.string(), kInnerSocketMode, kBacklog, base::Occupied::Replace));
  if (server.worker_user.empty()) return socket;
  PKI_TRY(const auto account, find_user(server.worker_user));
  if (::chown(path.c_str(), account.uid, account.gid) != 0) return base::io_error("chown " + path.string(), errno);
  return socket;
}

Status make_non_blocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return base::io_error("O_NONBLOCK", errno);
  return {};
}

}  // namespace

Result<RunDirectory> RunDirectory::enter(const config::ServerConfig& server) {
  PKI_TRY_VOID(make_run_directory(server));
  PKI_TRY(auto lock, take_lock(server.pid_file()));
  return RunDirectory(server.run_directory, server.pid_file(), std::move(lock));
}

Result<base::UniqueFd> RunDirectory::open_main_socket(const config::ServerConfig& server) {
  const auto path = server.socket_file();
  PKI_TRY(auto socket, take_activated_socket(path));
  if (!socket) {
    PKI_TRY(socket, patiently(Code::Exists, [&] { return base::listen_unix(path.string(), server.socket_mode, kBacklog); }));
    main_socket_ = path;
    PKI_TRY_VOID(set_owner(path, server));
  }
  PKI_TRY_VOID(make_non_blocking(socket.get()));
  return socket;
}

Result<int> RunDirectory::open_signer_socket(const config::ServerConfig& server, const RealmName& realm) {
  if (const auto found = signer_sockets_.find(realm); found != signer_sockets_.end()) return found->second.socket.get();
  const auto path = server.signer_socket_file(realm);
  PKI_TRY(auto socket, open_inner_socket(server, path));
  const int descriptor = socket.get();
  signer_sockets_.emplace(realm, InnerSocket{path, std::move(socket)});
  return descriptor;
}

Result<int> RunDirectory::open_keymaker_socket(const config::ServerConfig& server) {
  if (!keymaker_socket_.socket) {
    PKI_TRY(auto socket, open_inner_socket(server, server.keymaker_socket_file()));
    PKI_TRY_VOID(make_non_blocking(socket.get()));
    keymaker_socket_ = {server.keymaker_socket_file(), std::move(socket)};
  }
  return keymaker_socket_.socket.get();
}

void RunDirectory::close_signer_socket(const RealmName& realm) {
  const auto found = signer_sockets_.find(realm);
  if (found == signer_sockets_.end()) return;
  ::unlink(found->second.path.c_str());
  signer_sockets_.erase(found);
}

Result<std::filesystem::path> RunDirectory::make_front_end_directory(const std::string& name, const std::string& user) const {
  const auto directory = directory_ / name;
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  if (user.empty()) return directory;
  PKI_TRY(const auto account, find_user(user));
  if (::geteuid() == 0 && ::lchown(directory.c_str(), account.uid, account.gid) != 0) {
    return base::io_error("chown " + directory.string(), errno);
  }
  return directory;
}

void RunDirectory::leave() {
  for (const auto& [realm, one] : signer_sockets_) ::unlink(one.path.c_str());
  signer_sockets_.clear();
  if (keymaker_socket_.socket) ::unlink(keymaker_socket_.path.c_str());
  if (!main_socket_.empty()) ::unlink(main_socket_.c_str());
  ::unlink(pid_file_.c_str());
}

}  // namespace chancery::master
