#include "server/config/realms_apart.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace chancery::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDirectory = "directory";

/// Where the path leads, through symbolic links and "..", also as far as it is not there yet: a link to nothing is the place
/// where the server would make something.
fs::path real_path(fs::path path) {
  constexpr int kMostLinks = 40;  // Linux's own limit
  std::error_code failure;
  for (int links = 0; links < kMostLinks && fs::is_symlink(path, failure) && !fs::exists(path, failure); ++links) {
    const auto target = fs::read_symlink(path, failure);
    if (failure) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  const auto resolved = fs::weakly_canonical(path, failure);
  return failure ? path.lexically_normal() : resolved;
}

bool lies_in(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Two files of one content, which is not nothing.
bool are_alike(const fs::path& a, const fs::path& b) {
  std::error_code failure;
  const auto size = fs::file_size(a, failure);
  return !failure && size > 0 && size == fs::file_size(b, failure) && !failure && content(a) == content(b);
}

constexpr const char* kWithin = " or around it, expected one of its own";

}  // namespace

std::vector<RealmsApart::Claim> RealmsApart::claims_of(const RealmConfig& realm) {
  const std::pair<std::string_view, fs::path> places[] = {
      {kDirectory, realm.directory},           {"database directory", realm.database_file().parent_path()},
      {"database", realm.database_file()},     {"journal", realm.journal_directory()},
      {"nodes' keys", realm.node_directory()}, {"further CAs", realm.directory / "cas"}};
  std::vector<Claim> claims;
  for (const auto& [what, path] : places) {
    Claim claim{realm.name.text(), what, path, real_path(path), std::nullopt};
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0) claim.file = FileId{found.st_dev, found.st_ino};
    claims.push_back(std::move(claim));
  }
  return claims;
}

std::optional<std::string> RealmsApart::same_place(const Claim& own) const {
  const Claim* other = nullptr;
  if (const auto found = by_path_.find(own.real); found != by_path_.end()) other = &found->second;
  if (other == nullptr && own.file) {
    if (const auto found = by_file_.find(*own.file); found != by_file_.end()) other = &found->second;
  }
  if (other == nullptr) return std::nullopt;
  if (own.what == kDirectory && other->what == kDirectory)
    return "found the directory of realm " + other->realm + ", expected one of its own: " + own.real.string();
  return "found " + own.path.string() + ", which is the " + std::string(other->what) + " of realm " + other->realm + " (" +
         other->path.string() + "), expected one of its own";
}

std::optional<std::string> RealmsApart::inside_another(const Claim& own) const {
  for (auto outer = own.real; outer.has_relative_path(); outer = outer.parent_path()) {
    const auto found = by_path_.find(outer);
    if (found == by_path_.end() || found->second.what != kDirectory) continue;
    if (own.what == kDirectory) return "found a directory inside that of realm " + found->second.realm + kWithin;
    return "found " + own.path.string() + ", which leads into the directory of realm " + found->second.realm + ", to " +
           own.real.string() + ", expected one of its own";
  }
  return std::nullopt;
}

/// What lies in the directory follows it in the order of paths.
std::optional<std::string> RealmsApart::another_inside(const Claim& directory) const {
  const auto found = by_path_.lower_bound(directory.real);
  if (found == by_path_.end() || !lies_in(found->first, directory.real)) return std::nullopt;
  const auto& other = found->second;
  if (other.what == kDirectory) return "found a directory inside that of realm " + other.realm + kWithin;
  return "found " + other.path.string() + " of realm " + other.realm + ", which leads into this realm's directory, to " +
         other.real.string() + ", expected nothing of another realm there";
}

std::optional<std::string> RealmsApart::same_authority(const Authority& own) const {
  for (const auto& other : authorities_) {
    for (const auto& [file, other_file] :
         {std::pair{own.certificate_file, other.certificate_file}, std::pair{own.key_file, other.key_file}}) {
      if (!are_alike(file, other_file)) continue;
      return "found the " + file.filename().string() + " of realm " + other.realm +
             ", expected a CA of its own: two journals for one key cannot keep serial numbers apart";
    }
  }
  return std::nullopt;
}

std::optional<std::string> RealmsApart::fault_in(const std::vector<Claim>& own, const Authority& authority) const {
  for (const auto& claim : own) {
    if (auto fault = same_place(claim)) return fault;
  }
  for (const auto& claim : own) {
    if (auto fault = inside_another(claim)) return fault;
  }
  if (auto fault = another_inside(own.front())) return fault;
  return same_authority(authority);
}

void RealmsApart::check(const RealmConfig& realm, Report& report) {
  auto own = claims_of(realm);
  Authority authority{realm.name.text(), realm.ca_certificate_file(), realm.ca_key_file()};
  if (const auto fault = fault_in(own, authority)) report.error_at(1, 1, *fault);
  for (auto& claim : own) {
    if (claim.file) by_file_.emplace(*claim.file, claim);
    by_path_.emplace(claim.real, std::move(claim));
  }
  authorities_.push_back(std::move(authority));
}

}  // namespace chancery::config
