#include "server/base/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace chancery::base {
namespace {

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Error(Code::Io, "socket path " + path + " has " + std::to_string(path.size()) + " octets, expected 1 to " +
                               std::to_string(sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Status wait_for(int fd, short events, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, std::max(0, static_cast<int>(left.count())));
    if (ready > 0) return {};
    if (ready == 0) return Error(Code::Timeout, "no answer within " + std::to_string(limit.count()) + " ms");
    if (errno != EINTR) return io_error("poll", errno);
  }
}

}  // namespace

Error io_error(std::string_view what, int error_number) {
  return {Code::Io, std::string(what) + ": " + std::strerror(error_number)};
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return io_error("pipe", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Status write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    auto wrote = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (wrote < 0 && errno == ENOTSOCK) wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && (errno == EPIPE || errno == ECONNRESET)) return Error(Code::Closed, "the peer closed the connection");
    if (wrote < 0) return io_error("write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

Status wait_readable(int fd, std::chrono::milliseconds limit) { return wait_for(fd, POLLIN, limit); }

Status wait_writable(int fd, std::chrono::milliseconds limit) { return wait_for(fd, POLLOUT, limit); }

Result<PeerCredentials> peer_credentials(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return io_error("SO_PEERCRED", errno);
  return PeerCredentials{peer.uid, peer.gid, peer.pid};
}

Result<UniqueFd> connect_unix(const std::string& path) {
  PKI_TRY(const auto address, unix_address(path));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return io_error("socket", errno);
  while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno == EINTR) continue;
    const bool nobody = errno == ECONNREFUSED || errno == ENOENT;
    const auto error = io_error("connect " + path, errno);
    return nobody ? Error(Code::Unavailable, error.message()) : error;
  }
  return fd;
}

Result<UniqueFd> listen_unix(const std::string& path, mode_t mode, int backlog, Occupied occupied) {
  PKI_TRY(const auto address, unix_address(path));
  if (occupied == Occupied::Refuse && connect_unix(path).ok())
    return Error(Code::Exists, "somebody listens on " + path + " already");
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return Error(Code::Exists, path + " is there and is not a socket");
    ::unlink(path.c_str());
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return io_error("socket", errno);
  // The umask decides the mode at bind: there is no moment at which the socket is open to others.
  const mode_t before = ::umask(static_cast<mode_t>(~mode & 0777));
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int bind_errno = errno;
  ::umask(before);
  if (bound != 0) return io_error("bind " + path, bind_errno);
  if (::listen(fd.get(), backlog) != 0) return io_error("listen " + path, errno);
  return fd;
}

void close_all_but(std::span<const int> keep) {
  std::vector<int> kept(keep.begin(), keep.end());
  std::ranges::sort(kept);
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (fd < static_cast<int>(first)) continue;
    if (static_cast<unsigned>(fd) > first) ::close_range(first, static_cast<unsigned>(fd) - 1, 0);
    first = static_cast<unsigned>(fd) + 1;
  }
  ::close_range(first, ~0U, 0);
}

}  // namespace chancery::base
