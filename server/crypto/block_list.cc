#include "server/crypto/block_list.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/sha.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "server/base/fd.h"
#include "server/crypto/digest.h"

namespace chancery::crypto {
namespace {

constexpr std::size_t kDebianDigits = 20;
constexpr std::size_t kFewestDigits = 24;
constexpr std::size_t kMostDigits = 64;

bool is_width(std::size_t digits) {
  return digits == kDebianDigits || (digits >= kFewestDigits && digits <= kMostDigits && digits % 2 == 0);
}

bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

/// As `openssl rsa -modulus` prints it, hashed as openssl-vulnkey(1) does; empty for a key that is not RSA.
std::string debian_hash(const PublicKey& key) {
  if (key.spec().kind != KeySpec::Kind::Rsa) return {};
  BIGNUM* raw = nullptr;
  PKI_CHECK(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &raw) == 1);
  const BignumPtr modulus(raw);
  Bytes octets(static_cast<std::size_t>(BN_num_bytes(modulus.get())));
  BN_bn2bin(modulus.get(), octets.data());
  auto hex = base::to_hex(octets);
  std::ranges::transform(hex, hex.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto line = "Modulus=" + hex + "\n";
  Bytes digest(SHA_DIGEST_LENGTH);
  unsigned size = 0;
  PKI_CHECK(EVP_Digest(line.data(), line.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1 && size == digest.size());
  const auto text = base::to_hex(digest);
  return text.substr(text.size() - kDebianDigits);
}

std::string_view without_head(std::string_view text) {
  while (text.starts_with('#')) {
    const auto end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return text;
}

}  // namespace

void BlockList::Unmap::operator()(const char* start) const {
  ::munmap(const_cast<char*>(start), octets);  // NOLINT(cppcoreguidelines-pro-type-const-cast): mmap gave it without const
}

Result<BlockList> BlockList::open(const base::Path& file) {
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return Error(Code::NotFound, "block list " + file.string() + " is not there");
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0) return base::io_error("open " + file.string(), errno);
  const auto size = static_cast<std::size_t>(found.st_size);
  if (!S_ISREG(found.st_mode) || size == 0) return Error(Code::Malformed, "block list " + file.string() + " is empty or no file");
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (start == MAP_FAILED) return base::io_error("map " + file.string(), errno);
  BlockList list;
  list.file_ = file;
  list.mapping_ = {static_cast<const char*>(start), Unmap{size}};
  list.lines_ = without_head({list.mapping_.get(), size});
  list.width_ = std::min(list.lines_.find('\n'), list.lines_.size());
  const bool whole = list.lines_.empty() || (is_width(list.width_) && list.lines_.size() % (list.width_ + 1) == 0 &&
                                             is_hex(list.lines_.substr(0, list.width_)) && list.lines_.ends_with('\n'));
  if (whole) return list;
  return Error(Code::Malformed,
               "block list " + file.string() +
                   ": expected sorted lines of one length, 20 hexadecimal digits (Debian's form) or 24 to 64 (of a SHA-256)");
}

Result<std::vector<BlockList>> open_block_lists(const std::vector<std::string>& files) {
  std::vector<BlockList> lists;
  for (const auto& file : files) {
    PKI_TRY(auto list, BlockList::open(file));
    lists.push_back(std::move(list));
  }
  return lists;
}

bool BlockList::has(const PublicKey& key) const {
  if (lines_.empty()) return false;
  const auto wanted = width_ == kDebianDigits ? debian_hash(key) : key.spki_sha256_hex().substr(0, width_);
  if (wanted.empty()) return false;
  const auto line = [&](std::size_t index) { return lines_.substr(index * (width_ + 1), width_); };
  std::size_t first = 0;
  for (std::size_t last = lines_.size() / (width_ + 1); first < last;) {
    const auto middle = first + (last - first) / 2;
    if (line(middle) < wanted) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first < lines_.size() / (width_ + 1) && line(first) == wanted;
}

}  // namespace chancery::crypto
