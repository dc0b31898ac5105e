#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "server/base/bytes.h"

namespace chancery::base {

/// Owns one file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

/// An Error of Code::Io: "open /x/y: Permission denied".
Error io_error(std::string_view what, int error_number);

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
/// Both ends close on exec and block. @errors Io.
Result<Pipe> make_pipe();

/// Writes all of it, through EINTR and short writes. @errors Io, Closed (EPIPE, ECONNRESET).
Status write_all(int fd, ByteView bytes);

/// Waits until `fd` can be read. @errors Timeout; Io. A hang-up counts as readable.
Status wait_readable(int fd, std::chrono::milliseconds limit);
Status wait_writable(int fd, std::chrono::milliseconds limit);

/// Who is at the other end of a Unix socket (SO_PEERCRED).
struct PeerCredentials {
  uid_t uid;
  gid_t gid;
  pid_t pid;
};
Result<PeerCredentials> peer_credentials(int socket);

/// Connects a stream socket to a path of at most 107 octets. @errors Unavailable: nobody listens; Io.
Result<UniqueFd> connect_unix(const std::string& path);
/// Whether a socket that somebody still listens on is left to them, or replaced: then it must be the caller's by a lock that it
/// holds.
enum class Occupied { Refuse, Replace };
/// Binds and listens; a stale socket file of a dead server is replaced. @errors Exists: somebody answers there, or no socket; Io.
Result<UniqueFd> listen_unix(const std::string& path, mode_t mode, int backlog, Occupied occupied = Occupied::Refuse);

/// After fork: closes every descriptor but 0, 1, 2 and those listed (PROMISES D16).
void close_all_but(std::span<const int> keep);

}  // namespace chancery::base
