#include "server/config/paths.h"

namespace chancery::config {

std::filesystem::path below(const std::filesystem::path& directory, const std::filesystem::path& path) {
  if (path.empty()) return path;
  const auto whole = (directory / path).lexically_normal();
  return whole.has_filename() || !whole.has_relative_path() ? whole : whole.parent_path();
}

void resolve(const std::filesystem::path& directory, std::string& path) { path = below(directory, path).string(); }

}  // namespace chancery::config
