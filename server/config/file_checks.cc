#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/base/text.h"
#include "server/base/user.h"
#include "server/config/checks.h"

namespace chancery::config {
namespace {

constexpr mode_t kPermissions = 07777;
constexpr mode_t kOthers = 077;

std::string mode_text(mode_t mode) { return base::octal(mode & kPermissions); }

bool is_safe_owner(uid_t owner, const FileRules& rules) {
  struct stat directory {};
  if (owner == 0 || owner == ::geteuid()) return true;
  const auto is_owner = [&](const std::string& name) {
    const auto user = base::find_user(name);
    return user && user->uid == owner;
  };
  if (std::ranges::any_of(rules.users, is_owner)) return true;
  return ::stat(rules.owner_of.c_str(), &directory) == 0 && directory.st_uid == owner;
}

std::string why(const std::filesystem::path& file) { return file.string() + ": " + std::strerror(errno); }

}  // namespace

std::vector<std::string> users_of_files(const ServerConfig& server) {
  std::vector<std::string> users{server.signer_user, server.worker_user};
  std::erase(users, "");
  return users;
}

void check_secret_file(const std::filesystem::path& file, const FileRules& rules, const Node& at, Report& report) {
  struct stat found {};
  if (::lstat(file.c_str(), &found) != 0) {
    return report.error(at, "found no such file: " + why(file) + ", expected a regular file of mode 0600");
  }
  if (S_ISLNK(found.st_mode)) return report.error(at, "found a symbolic link, expected a regular file: " + file.string());
  if (!S_ISREG(found.st_mode)) return report.error(at, "found no regular file, expected one: " + file.string());
  if ((found.st_mode & kOthers) != 0) {
    report.error(at, "found mode " + mode_text(found.st_mode) + ", expected 0600 or less (chmod 600 " + file.string() + ")");
  }
  if (!is_safe_owner(found.st_uid, rules)) {
    report.error(at, "found owner uid " + std::to_string(found.st_uid) + ", expected root, the server or the owner of " +
                         rules.owner_of.string() + ": " + file.string());
  }
  if (found.st_size == 0) report.error(at, "found an empty file, expected a secret in it: " + file.string());
}

void check_is_file(const std::filesystem::path& file, std::string_view expected, const Node& at, Report& report) {
  struct stat found {};
  if (file.empty() || (::stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode))) return;
  report.error(at, "found no file " + file.string() + ", expected " + std::string(expected));
}

void check_program_file(const std::filesystem::path& file, const FileRules& rules, const Node& at, Report& report) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 || !S_ISREG(found.st_mode))
    return report.error(at, "found no file " + file.string() + ", expected a program: install it, or name where it is");
  if ((found.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
    report.error(at, "found " + file.string() + ", which nobody may execute");
  check_trusted(file, rules, report, at);
}

void check_trusted(const std::filesystem::path& file, const FileRules& rules, Report& report, const Node& at) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return;  // reading it says so
  if ((found.st_mode & S_IWOTH) != 0) {
    report.error(
        at, "found mode " + mode_text(found.st_mode) + ", expected that others cannot write (chmod o-w " + file.string() + ")");
  } else if ((found.st_mode & S_IWGRP) != 0) {
    report.warning(
        at, "found mode " + mode_text(found.st_mode) + ": the file's group can write it (chmod g-w " + file.string() + ")");
  }
  if (!is_safe_owner(found.st_uid, rules)) {
    report.warning(at, "found owner uid " + std::to_string(found.st_uid) +
                           ", expected root or the server: whoever it is rules this CA (" + file.string() + ")");
  }
}

void check_creatable(const std::filesystem::path& directory, const Node& at, Report& report) {
  auto existing = directory;
  struct stat found {};
  while (::stat(existing.c_str(), &found) != 0) {
    if (errno != ENOENT || !existing.has_relative_path())
      return report.error(at, "found no directory that could be made: " + why(existing));
    existing = existing.parent_path();
  }
  if (!S_ISDIR(found.st_mode)) return report.error(at, "found a file, expected a directory: " + existing.string());
  if (::access(existing.c_str(), W_OK | X_OK) != 0)
    return report.error(at, "found a directory that the server cannot write: " + why(existing));
}

}  // namespace chancery::config
