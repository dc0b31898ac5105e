#include "server/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

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
  if (const auto written = write_all(fd, content); !written.ok()) return written.error().within(path.string());
  if (::fsync(fd) != 0) return io_error("fsync " + path.string(), errno);
  return {};
}

/// A rename would put a file where a device, a pipe or a socket is, for everybody who uses it; a directory it would refuse late.
Status check_place(const Path& path, IfThere if_there) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (S_ISDIR(there.st_mode)) return Error(Code::Exists, path.string() + " is a directory, expected a file's name");
  if (!S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode)) {
    return Error(Code::Exists, path.string() + " is a device, pipe or socket, expected a file",
                 "name a file that may be replaced, or a new one");
  }
  if (if_there == IfThere::Replace) return {};
  return Error(Code::Exists, path.string() + " is there already, expected a new file's name",
               "it is not overwritten: name another, or move it away");
}

/// Why no file can be made there, by the name that the caller knows.
Error no_place(const Path& path, int number) {
  auto error = io_error("write " + path.string(), number);
  if (number != ENOENT) return error;
  return {error.code(), error.message(), "its directory must be there: make it, or name another"};
}

/// Beside it, and no longer than a file's name may be.
Path temporary_name(const Path& path) {
  constexpr std::size_t kMostKept = 230;
  return path.parent_path() / (path.filename().string().substr(0, kMostKept) + ".tmp-" + to_hex(random_bytes(6)));
}

}  // namespace

Result<std::string> read_file(const Path& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return open_error(path);
  if (const auto found = stat_regular(fd.get(), path, max_bytes); !found.ok()) return found.error();
  return read_to_end(fd.get(), path, max_bytes);
}

Result<std::string> read_input(const Path& path, std::size_t max_bytes) {
  // Blocking: a pipe's writer may be slower than we are.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return open_error(path);
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return io_error("stat " + path.string(), errno);
  if (S_ISDIR(found.st_mode)) return Error(Code::Malformed, path.string() + " is a directory, expected a file or pipe");
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

PendingFile::PendingFile(Path path, Path temporary, UniqueFd fd, IfThere if_there)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)), if_there_(if_there) {}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)),
      if_there_(other.if_there_) {}

PendingFile::~PendingFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<PendingFile> PendingFile::begin(const Path& path, mode_t mode, IfThere if_there) {
  PKI_TRY_VOID(check_place(path, if_there));
  const Path temporary = temporary_name(path);
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return no_place(path, errno);
  PendingFile file(path, temporary, std::move(fd), if_there);
  // fchmod, since the umask may have taken bits away that the caller asked for.
  if (::fchmod(file.fd_.get(), mode) != 0) return io_error("chmod " + path.string(), errno);
  return file;
}

Status PendingFile::put_in_place() {
  // One step, for what appeared there since begin; file systems that cannot do it (EINVAL) get the look that begin took.
  int done = -1;
  if (if_there_ == IfThere::Refuse) done = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
  if (if_there_ == IfThere::Replace || (done != 0 && errno == EINVAL)) {
    PKI_TRY_VOID(check_place(path_, if_there_));
    done = ::rename(temporary_.c_str(), path_.c_str());
  }
  return done == 0 ? Status() : io_error("write " + path_.string(), errno);
}

Status PendingFile::finish(ByteView content) {
  PKI_TRY_VOID(write_and_sync(fd_.get(), path_, content));
  auto placed = put_in_place();
  if (!placed.ok() && if_there_ == IfThere::Replace) return placed;
  const auto kept = std::exchange(temporary_, {});
  if (!placed.ok())
    return Error(placed.error().code(), placed.error().message(), "what was to be written is in " + kept.string());
  return sync_directory(path_.parent_path());
}

Status replace_file(const Path& path, ByteView content, mode_t mode) {
  PKI_TRY(auto file, PendingFile::begin(path, mode));
  return file.finish(content);
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
