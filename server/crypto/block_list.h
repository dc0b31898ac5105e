#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/file.h"
#include "server/crypto/key.h"

namespace chancery::crypto {

/// Hashes of keys that nobody may have certified (PROMISES B4), in a file that is searched where it lies, not loaded.
///
/// Lines of lower-case hexadecimal digits, all of one length, sorted, each once; before them perhaps lines that begin with '#'.
///   20 digits        Debian's openssl-blacklist: the last 80 bits of SHA-1 over "Modulus=<upper-case hexadecimal>\n" of an RSA
///   key 24 to 64, even   the first digits of the SHA-256 of a key's SubjectPublicKeyInfo
class BlockList {
 public:
  /// @errors NotFound, Io; Malformed: lines of several lengths, or no list at all. The order is not looked at.
  static Result<BlockList> open(const base::Path& file);
  bool has(const PublicKey& key) const;
  const base::Path& file() const { return file_; }

 private:
  struct Unmap {
    std::size_t octets;
    void operator()(const char* start) const;
  };
  base::Path file_;
  std::unique_ptr<const char, Unmap> mapping_;
  std::string_view lines_;  ///< without the head
  std::size_t width_ = 0;   ///< digits of a line
};

/// @errors as open.
Result<std::vector<BlockList>> open_block_lists(const std::vector<std::string>& files);

/// What check_public_key refuses in this process from now on, besides keys that are weak by themselves.
void refuse_listed_keys(std::vector<BlockList> lists);

}  // namespace chancery::crypto
