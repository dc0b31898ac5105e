#pragma once

#include <map>
#include <string>

#include "server/base/fd.h"
#include "server/config/server_config.h"

namespace chancery::master {

/// The place of one running server: its directory, the lock that keeps a second master out (PROMISES D29, F13) and the sockets.
/// What a dead server left behind is replaced. leave() removes what was made.
class RunDirectory {
 public:
  /// Makes the directory (0750, or 0755 when the socket is open to others) and takes the lock.
  /// @errors Busy: another master runs there, its pid is in the message; Denied: group or others may write to it; Io.
  static Result<RunDirectory> enter(const config::ServerConfig& server);

  RunDirectory(RunDirectory&&) = default;
  RunDirectory& operator=(RunDirectory&&) = default;
  ~RunDirectory() = default;

  /// The main socket with its owner, group and mode; accepting from it does not block. A socket that was passed by systemd
  /// is taken as it is. @errors Exists: something else has that name; NotFound: owner or group; Io.
  Result<base::UniqueFd> open_main_socket(const config::ServerConfig& server);

  /// The listening socket of a realm's signer (0600). It stays open while signers come and go, so that connects wait
  /// meanwhile. @errors as above.
  Result<int> open_signer_socket(const config::ServerConfig& server, const RealmName& realm);
  void close_signer_socket(const RealmName& realm);

  /// The keymaker's listening socket, likewise.
  Result<int> open_keymaker_socket(const config::ServerConfig& server);

  /// A directory of its own for a front end, <run>/<name>, 0700. @errors Io; NotFound: no such user.
  Result<std::filesystem::path> make_front_end_directory(const std::string& name, const std::string& user) const;

  /// Removes the sockets and the pid file; the lock goes with the object.
  void leave();

 private:
  struct InnerSocket {
    std::filesystem::path path;
    base::UniqueFd socket;
  };

  RunDirectory(std::filesystem::path directory, std::filesystem::path pid_file, base::UniqueFd lock)
      : directory_(std::move(directory)), pid_file_(std::move(pid_file)), lock_(std::move(lock)) {}

  std::filesystem::path directory_;
  std::filesystem::path pid_file_;
  base::UniqueFd lock_;
  std::filesystem::path main_socket_;  ///< empty when systemd owns it
  std::map<RealmName, InnerSocket> signer_sockets_;
  InnerSocket keymaker_socket_;
};

}  // namespace chancery::master
