#pragma once

#include <filesystem>
#include <string>

/// Paths in a configuration are relative to the directory of their file.
namespace chancery::config {

/// The path below the directory, or itself where it is absolute; normal, and without a slash at its end. An empty one stays
/// empty.
std::filesystem::path below(const std::filesystem::path& directory, const std::filesystem::path& path);
/// The same for a setting in its place.
void resolve(const std::filesystem::path& directory, std::string& path);

}  // namespace chancery::config
