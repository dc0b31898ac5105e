#include "server/crypto/file_name.h"

#include <cstdint>

#include "server/crypto/digest.h"

namespace chancery::crypto {
namespace {

/// One octet of a text; a dot at its beginning would hide the file, or be a directory's name.
std::string encoded(char c, bool is_first) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789-.";
  if (kPlain.find(c) != std::string_view::npos && !(is_first && c == '.')) return std::string(1, c);
  const auto octet = static_cast<std::uint8_t>(c);
  return "%" + base::to_hex({&octet, 1});
}

}  // namespace

std::string file_name_of(std::string_view text) {
  constexpr std::size_t kEnding = 1 + 64;  // "~" and the digest
  std::string out;
  std::size_t cut = 0;  // where a long name ends: never within one %xx
  for (const char c : text) {
    out += encoded(c, out.empty());
    if (out.size() <= kMaxFileName - kEnding) cut = out.size();
  }
  if (out.size() <= kMaxFileName) return out;
  return out.substr(0, cut) + "~" + sha256_hex(base::as_bytes(text));
}

}  // namespace chancery::crypto
