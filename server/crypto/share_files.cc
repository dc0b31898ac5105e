#include "server/crypto/share_files.h"

namespace chancery::crypto {
namespace {

constexpr int kMostShares = 255;

bool is_there(const base::Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

base::Path share_file(const base::Path& directory, std::string_view realm, int index) {
  return directory / (std::string(realm) + "-share-" + std::to_string(index) + ".txt");
}

Result<std::vector<base::Path>> write_share_files(const base::Path& directory, const std::vector<Share>& shares) {
  if (!is_there(directory)) PKI_TRY_VOID(base::make_directories(directory, 0700));
  std::vector<base::Path> files;
  for (const auto& share : shares) {
    files.push_back(share_file(directory, share.realm, share.index));
    if (is_there(files.back()))
      return Error(Code::Exists, files.back().string() + " is there: it is not overwritten", "name another directory");
  }
  for (const auto& share : shares) {
    const auto text = share_text(share);
    Bytes line(text.view().begin(), text.view().end());
    line.push_back('\n');
    const SecretBytes wiped(std::move(line));
    PKI_TRY_VOID(base::replace_file(share_file(directory, share.realm, share.index), wiped.view(), 0600));
  }
  return files;
}

Result<std::vector<Share>> read_share_files(const base::Path& directory, std::string_view realm) {
  std::vector<Share> shares;
  for (int index = 1; index <= kMostShares; ++index) {
    const auto file = share_file(directory, realm, index);
    if (!is_there(file)) break;
    PKI_TRY(const auto text, base::read_secret_file(file, kMaxShareText));
    auto share = parse_share(text.view());
    if (!share.ok()) return share.error().within(file.string());
    shares.push_back(std::move(share).value());
  }
  return shares;
}

}  // namespace chancery::crypto
