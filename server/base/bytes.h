#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"

namespace chancery::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// The bytes of a text, without copying.
ByteView as_bytes(std::string_view text);
/// The same bytes seen as text, without copying.
std::string_view as_text(ByteView bytes);

/// Lower-case hexadecimal, two digits an octet.
std::string to_hex(ByteView bytes);
/// @errors Malformed: odd length or a character outside 0-9a-fA-F.
Result<Bytes> from_hex(std::string_view hex);

/// RFC 4648 section 4, padded, no line breaks.
std::string to_base64(ByteView bytes);
/// Accepts padded text only, no white space. @errors Malformed.
Result<Bytes> from_base64(std::string_view text);
/// RFC 4648 section 5 without padding (RFC 7515 section 2).
std::string to_base64url(ByteView bytes);
/// Refuses padding, white space and non-zero trailing bits (RFC 4648 section 3.5). @errors Malformed.
Result<Bytes> from_base64url(std::string_view text);

/// Compares without leaking where the difference is; the lengths are not secret.
bool equal_in_constant_time(ByteView a, ByteView b);

/// Fills from getrandom(2). A kernel that cannot is a reason to stop: throws Bug.
void fill_random(std::span<std::uint8_t> out);
Bytes random_bytes(std::size_t count);

/// Octets that must not be copied, printed or left behind: wiped when they go (PROMISES D36).
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(Bytes bytes) : bytes_(std::move(bytes)) {}
  explicit SecretBytes(std::string_view text) : bytes_(text.begin(), text.end()) {}
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(); }

  ByteView view() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  void wipe() noexcept;

 private:
  Bytes bytes_;
};

}  // namespace chancery::base

namespace chancery {
using base::Bytes;
using base::ByteView;
using base::SecretBytes;
}  // namespace chancery
