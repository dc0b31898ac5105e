#include "server/base/file_name.h"

#include <cstdint>

#include "server/base/bytes.h"

namespace chancery::base {

std::string file_name_of(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789-.";
  std::string out;
  for (const char c : text) {
    const bool plain = kPlain.find(c) != std::string_view::npos && !(out.empty() && c == '.');
    if (plain) {
      out += c;
    } else {
      const auto octet = static_cast<std::uint8_t>(c);
      out += "%" + to_hex({&octet, 1});
    }
  }
  return out;
}

}  // namespace chancery::base
