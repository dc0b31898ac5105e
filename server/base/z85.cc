#include "server/base/z85.h"

#include <cstdint>

namespace chancery::base {

bool is_curve_key(std::string_view text) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  constexpr std::size_t kCharacters = 40;
  constexpr std::size_t kGroup = 5;  // of 4 octets
  if (text.size() != kCharacters) return false;
  for (std::size_t at = 0; at < kCharacters; at += kGroup) {
    std::uint64_t value = 0;
    for (const char c : text.substr(at, kGroup)) {
      const auto digit = kAlphabet.find(c);
      if (digit == std::string_view::npos) return false;
      value = value * kAlphabet.size() + digit;
    }
    if (value > UINT32_MAX) return false;
  }
  return true;
}

}  // namespace chancery::base
