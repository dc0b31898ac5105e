#include "server/signer/transcript.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxFileBytes = 16U << 20U;
constexpr std::size_t kMostFiles = 10000;
constexpr std::size_t kHexOfDigest = 64;
constexpr unsigned kModeBits = 07777;
constexpr std::string_view kFiles = "files:";
constexpr std::string_view kPlan = "plan: SHA-256 ";

std::string octal(unsigned mode) {
  std::string out(4, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, mode >>= 3U) *digit = static_cast<char>('0' + (mode & 7U));
  return out;
}

Result<ListedFile> list_file(const base::Path& directory, const base::Path& file) {
  struct stat found {};
  if (::lstat(file.c_str(), &found) != 0) return base::io_error("stat " + file.string(), errno);
  if (!S_ISREG(found.st_mode))
    return Error(Code::BadConfig, file.string() + " is no regular file, expected only files and directories");
  PKI_TRY(const auto text, base::read_file(file, kMaxFileBytes));
  return ListedFile{file.lexically_relative(directory).string(), crypto::sha256_hex(base::as_bytes(text)),
                    static_cast<unsigned>(found.st_mode) & kModeBits};
}

Result<ListedFile> file_of_line(const std::string& line) {
  const Error bad(Code::Malformed,
                  "found \"" + base::printable(line, 120) + "\" in a transcript, expected a file's SHA-256, mode and name");
  const auto first = line.find("  ");
  const auto second = first == std::string::npos ? first : line.find("  ", first + 2);
  if (first != kHexOfDigest || second == std::string::npos) return bad;
  ListedFile file{.path = line.substr(second + 2), .sha256 = line.substr(0, first)};
  const auto digits = line.substr(first + 2, second - first - 2);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), file.mode, 8);
  const base::Path path = file.path;
  const bool stays_inside = !file.path.empty() && path.is_relative() && path.lexically_normal() == path && *path.begin() != "..";
  const bool holds = failure == std::errc() && end == digits.data() + digits.size() && file.mode <= kModeBits && stays_inside;
  return holds ? Result<ListedFile>(std::move(file)) : bad;
}

bool is_below(const std::string& path, const std::string& directory) { return path.starts_with(directory + "/"); }

const ListedFile* find(const std::vector<ListedFile>& files, const std::string& path) {
  const auto found = std::ranges::find(files, path, &ListedFile::path);
  return found == files.end() ? nullptr : &*found;
}

}  // namespace

void Transcript::head(std::string_view name, std::string_view value) {
  head_ += std::string(name) + ": " + base::printable(value, 400) + "\n";
}

void Transcript::act(Seconds at, std::string_view what) {
  acts_ += base::to_rfc3339(at) + "  " + base::printable(what, 2000) + "\n";
}

std::string Transcript::text(const std::vector<ListedFile>& files) const {
  auto out = head_ + "\nacts:\n" + acts_ + "\n" + std::string(kFiles) + "\n";
  for (const auto& file : files) out += file.sha256 + "  " + octal(file.mode) + "  " + file.path + "\n";
  return out;
}

Result<std::vector<ListedFile>> list_files(const base::Path& directory) {
  std::vector<ListedFile> files;
  std::error_code failure;
  for (std::filesystem::recursive_directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure)) {
    if (it->is_directory() && !it->is_symlink()) continue;
    if (it->path() == directory / kTranscriptFile) continue;
    if (files.size() == kMostFiles)
      return Error(Code::TooLarge, directory.string() + " has more than " + std::to_string(kMostFiles) + " files");
    PKI_TRY(auto file, list_file(directory, it->path()));
    files.push_back(std::move(file));
  }
  if (failure) return base::io_error("read " + directory.string(), failure.value());
  std::ranges::sort(files, {}, &ListedFile::path);
  return files;
}

Result<ReadTranscript> parse_transcript(std::string_view text) {
  ReadTranscript out;
  bool in_files = false;
  for (const auto& line : base::split(text, '\n')) {
    if (line.starts_with(kPlan)) out.plan_sha256 = line.substr(kPlan.size());
    if (in_files && !line.empty()) {
      PKI_TRY(auto file, file_of_line(line));
      out.files.push_back(std::move(file));
    }
    in_files = in_files || line == kFiles;
  }
  if (out.plan_sha256.empty() || out.files.empty())
    return Error(Code::Malformed, "found no plan or no files in the transcript, expected the one that chancery ceremony wrote");
  return out;
}

Status check_files(const std::vector<ListedFile>& listed, const std::vector<ListedFile>& found, const std::string& realm) {
  for (const auto& file : found) {
    const auto* known = find(listed, file.path);
    if (known == nullptr)
      return Error(Code::BadProof, file.path + " is no file of the ceremony", "its transcript lists all that there were");
    if (known->sha256 != file.sha256)
      return Error(Code::BadProof,
                   file.path + " has changed since the ceremony: its SHA-256 is " + file.sha256 + ", expected " + known->sha256);
  }
  for (const auto& file : listed) {
    const bool is_needed = is_below(file.path, realm) || file.path == kPlanFile;
    if (is_needed && find(found, file.path) == nullptr)
      return Error(Code::BadProof, file.path + " is missing, which the ceremony made");
  }
  return {};
}

}  // namespace chancery::signer
