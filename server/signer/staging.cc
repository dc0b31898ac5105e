#include "server/signer/staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace chancery::signer {
namespace {

/// Whether the directory that is locked is still the one with that name: another run may have removed it meanwhile.
bool is_still_there(int fd, const base::Path& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

}  // namespace

Staging::Staging(base::Path place, base::Path target, base::UniqueFd lock)
    : place_(std::move(place)), target_(std::move(target)), lock_(std::move(lock)) {}

Staging::Staging(Staging&& other) noexcept
    : place_(std::exchange(other.place_, {})), target_(std::move(other.target_)), lock_(std::move(other.lock_)) {}

Staging::~Staging() {
  if (place_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(place_, ignored);
}

Result<Staging> Staging::begin(const base::Path& target) {
  const auto place = target.parent_path() / ("." + target.filename().string() + ".importing");
  if (::mkdir(place.c_str(), 0700) != 0 && errno != EEXIST) return base::io_error("mkdir " + place.string(), errno);
  base::UniqueFd lock(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!lock) return base::io_error("open " + place.string(), errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || !is_still_there(lock.get(), place))
    return Error(Code::Busy, target.string() + " is being made by another process");
  Staging staging(place, target, std::move(lock));
  std::error_code failure;
  for (const auto& left : std::filesystem::directory_iterator(place, failure)) std::filesystem::remove_all(left.path(), failure);
  if (failure) return base::io_error("clear " + place.string(), failure.value());
  return staging;
}

Status Staging::finish() {
  // Every file was flushed when it was written; the directories are now.
  for (const auto& one : std::filesystem::recursive_directory_iterator(realm())) {
    if (one.is_directory() && !one.is_symlink()) PKI_TRY_VOID(base::sync_directory(one.path()));
  }
  PKI_TRY_VOID(base::sync_directory(realm()));
  // An empty directory is nobody's realm, and gives way; rename refuses every other one.
  if (::rename(realm().c_str(), target_.c_str()) != 0) {
    const int number = errno;
    if (number == ENOTEMPTY || number == EEXIST || number == ENOTDIR)
      return Error(Code::Exists, target_.string() + " is there already, and is not touched");
    return base::io_error("rename to " + target_.string(), number);
  }
  return base::sync_directory(target_.parent_path());
}

}  // namespace chancery::signer
