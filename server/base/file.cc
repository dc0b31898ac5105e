#include "server/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::size_t kLockContentMax = 256;

Error open_error(const Path& path) {
  const int number = errno;
  const auto error = io_error("open " + path.string(), number);
  return number == ENOENT ? Error(Code::NotFound, error.message()) : error;
}

Result<struct stat> stat_regular(int fd, const Path& path, std::size_t max_bytes) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return io_error("stat " + path.string(), errno);
  if (!S_ISREG(found.st_mode)) return Error(Code::Malformed, path.string() + " is not a regular file");
  if (static_cast<std::size_t>(found.st_size) > max_bytes) {
    return Error(Code::TooLarge, path.string() + " has " + std::to_string(found.st_size) + " octets, expected at most " +
                                     std::to_string(max_bytes));
  }
  return found;
}

/// Reads to the end; a file that grows past the limit while it is read is refused too.
Result<std::string> read_to_end(int fd, const Path& path, std::size_t max_bytes) {
  std::string content;
  std::array<char, 16384> part{};
  for (;;) {
    const auto got = ::read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read " + path.string(), errno);
    if (got == 0) return content;
    content.append(part.data(), static_cast<std::size_t>(got));
    if (content.size() > max_bytes)
      return Error(Code::TooLarge, path.string() + " has more than " + std::to_string(max_bytes) + " octets");
  }
}

Status write_and_sync(int fd, const Path& path, ByteView content) {
  PKI_TRY_VOID(write_all(fd, content));
  if (::fsync(fd) != 0) return io_error("fsync " + path.string(), errno);
  return {};
}

/// A rename would put a file where a device, a pipe or a socket is, for everybody who uses it.
Status is_replaceable(const Path& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (S_ISREG(there.st_mode) || S_ISLNK(there.st_mode) || S_ISDIR(there.st_mode)) return {};  // a directory refuses by itself
  return Error(Code::Exists, path.string() + " is a device, pipe or socket, expected a file",
               "name a file that may be replaced, or a new one");
}

}  // namespace

Result<std::string> read_file(const Path& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return open_error(path);
  if (const auto found = stat_regular(fd.get(), path, max_bytes); !found.ok()) return found.error();
  return read_to_end(fd.get(), path, max_bytes);
}

Result<SecretBytes> read_secret_file(const Path& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW));
  if (!fd) return open_error(path);
  PKI_TRY(const auto found, stat_regular(fd.get(), path, max_bytes));
  if ((found.st_mode & 077) != 0) {
    return Error(Code::Denied, path.string() + " has mode " + octal(found.st_mode & 07777) + ", expected 0600 or less",
                 "chmod 600 " + path.string());
  }
  if (found.st_uid != 0 && found.st_uid != ::geteuid()) {
    return Error(Code::Denied,
                 path.string() + " belongs to uid " + std::to_string(found.st_uid) + ", expected " + std::to_string(::geteuid()));
  }
  PKI_TRY(auto content, read_to_end(fd.get(), path, max_bytes));
  SecretBytes secret{std::string_view(content)};
  explicit_bzero(content.data(), content.size());
  return secret;
}

Status replace_file(const Path& path, ByteView content, mode_t mode) {
  PKI_TRY_VOID(is_replaceable(path));
  const Path temporary = path.string() + ".tmp-" + to_hex(random_bytes(6));
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return io_error("create " + temporary.string(), errno);
  // fchmod, since the umask may have taken bits away that the caller asked for.
  if (::fchmod(fd.get(), mode) != 0) return io_error("chmod " + temporary.string(), errno);
  auto status = write_and_sync(fd.get(), temporary, content);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = io_error("rename to " + path.string(), errno);
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_directory(path.parent_path());
}

Status make_directories(const Path& path, mode_t mode) {
  if (path.empty() || ::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == ENOENT) {
    PKI_TRY_VOID(make_directories(path.parent_path(), mode));
    if (::mkdir(path.c_str(), mode) == 0) return {};
  }
  if (errno == EEXIST && std::filesystem::is_directory(path)) return {};
  return io_error("mkdir " + path.string(), errno);
}

Status sync_directory(const Path& path) {
  const UniqueFd fd(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return io_error("open " + path.string(), errno);
  if (::fsync(fd.get()) != 0) return io_error("fsync " + path.string(), errno);
  return {};
}

Result<UniqueFd> lock_file(const Path& path, std::string_view content) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return io_error("open " + path.string(), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_error("lock " + path.string(), errno);
    std::array<char, kLockContentMax> holder{};
    const auto got = ::read(fd.get(), holder.data(), holder.size());
    const std::string_view text(holder.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return Error(Code::Busy, path.string() + " is locked by another process: " + std::string(trim(text)));
  }
  if (::ftruncate(fd.get(), 0) != 0) return io_error("truncate " + path.string(), errno);
  PKI_TRY_VOID(write_all(fd.get(), as_bytes(content)));
  return fd;
}

}  // namespace chancery::base
