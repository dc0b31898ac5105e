#include "server/store/database_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "server/base/fd.h"

namespace chancery::store {
namespace {

Error unavailable(const std::string& file, std::string_view what, int error_number) {
  return base::io_error(std::string(what) + " " + file, error_number);
}

}  // namespace

Status check_filesystem(const base::Path& file) {
  constexpr std::array kRemote{std::uint32_t{NFS_SUPER_MAGIC}, std::uint32_t{SMB_SUPER_MAGIC}, std::uint32_t{0xff534d42} /*cifs*/,
                               std::uint32_t{0xfe534d42} /*smb2*/, std::uint32_t{AFS_SUPER_MAGIC}};
  struct statfs facts {};
  if (::statfs(file.parent_path().c_str(), &facts) != 0) {
    return Error(Code::Unavailable, unavailable(file.parent_path(), "statfs", errno).message());
  }
  if (std::ranges::find(kRemote, static_cast<std::uint32_t>(facts.f_type)) == kRemote.end()) return {};
  return Error(Code::Unsupported, "database " + file.string() + " is on a network filesystem, whose locks SQLite cannot trust",
               "keep the realm directory on a local disk");
}

Status make_file(const base::Path& file) {
  PKI_TRY_VOID(base::make_directories(file.parent_path(), 0700));
  const base::UniqueFd made(::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (made || errno == EEXIST) return {};
  return Error(Code::Unavailable, unavailable(file, "make", errno).message());
}

Status check_file(const base::Path& file) {
  struct stat facts {};
  if (::lstat(file.c_str(), &facts) != 0) return Error(Code::Unavailable, unavailable(file, "stat", errno).message());
  const std::string name = "database " + file.string();
  if (!S_ISREG(facts.st_mode)) return Error(Code::Corrupt, name + " is no regular file", "restore a backup, or move it away");
  if (::geteuid() != 0 && facts.st_uid != ::geteuid()) {
    return Error(Code::Denied, name + " belongs to uid " + std::to_string(facts.st_uid), "chown it to the server's user");
  }
  if ((facts.st_mode & 077U) == 0) return {};
  return Error(Code::Denied, name + " can be reached by others", "chmod 0600 " + file.string());
}

}  // namespace chancery::store
