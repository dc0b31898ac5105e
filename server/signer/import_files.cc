#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "server/base/fd.h"
#include "server/signer/ca_files.h"
#include "server/signer/import_reader.h"

namespace chancery::signer {
namespace files {
namespace fs = std::filesystem;

bool is_there(const base::Path& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

Result<std::string> read_unlinked(const base::Path& path, std::size_t max) {
  const base::UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0) return base::io_error("open " + path.string(), errno);
  if (S_ISLNK(found.st_mode)) return Error(Code::Malformed, "is a symbolic link, which is not followed");
  if (!S_ISREG(found.st_mode)) return Error(Code::Malformed, "is no regular file");
  auto content = base::read_file("/proc/self/fd/" + std::to_string(fd.get()), max);
  if (content.ok()) return content;
  return Error(content.error().code(), path.string() + ": " + content.error().message());
}

Result<std::vector<std::string>> all_below(const base::Path& directory) {
  constexpr std::size_t kMaxFiles = 1'000'000;
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::recursive_directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure)) {
    if (it->symlink_status().type() != fs::file_type::directory)
      names.push_back(it->path().lexically_relative(directory).string());
    if (names.size() > kMaxFiles)
      return Error(Code::TooLarge, directory.string() + " holds more than a million files",
                   "take what is not the CA's out of it");
  }
  if (failure) return base::io_error("list " + directory.string(), failure.value());
  std::ranges::sort(names);
  return names;
}

base::Path first_of(const base::Path& directory, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (is_there(directory / name)) return directory / name;
  }
  return {};
}

std::vector<std::string> blocks_of(std::string_view label, std::string_view text) {
  const auto begin = "-----BEGIN " + std::string(label) + "-----";
  const auto end = "-----END " + std::string(label) + "-----";
  std::vector<std::string> out;
  for (;;) {
    const auto from = text.find(begin);
    const auto to = from == std::string_view::npos ? from : text.find(end, from);
    if (to == std::string_view::npos) return out;
    out.push_back(std::string(text.substr(from, to + end.size() - from)) + "\n");
    text.remove_prefix(to + end.size());
  }
}

bool has_key(std::string_view text) {
  return text.find(" PRIVATE KEY-----") != std::string_view::npos ||
         text.find("-BEGIN PRIVATE KEY-----") != std::string_view::npos;
}

Status check_directory(const base::Path& directory, const std::string& what) {
  std::error_code failure;
  if (fs::is_directory(directory, failure)) return {};
  return Error(Code::NotFound, "found no directory " + directory.string() + ", expected " + what);
}

}  // namespace files

Status read_chain(ImportSource& source, const ImportOrder& order) {
  const auto read = [](const base::Path& path) -> Result<std::string> {
    auto text = files::read_unlinked(path, kMaxChainBytes);
    if (text.ok() || text.error().code() != Code::Malformed) return text;
    return Error(Code::Malformed, path.string() + " " + text.error().message(), "name the file itself");
  };
  PKI_TRY(source.chain_pem, read(source.certificate_file));
  if (order.chain.empty()) return {};
  PKI_TRY(const auto above, read(order.chain));
  source.chain_pem += "\n" + above;
  return {};
}

}  // namespace chancery::signer
