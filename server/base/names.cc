#include "server/base/names.h"

#include <algorithm>

namespace chancery::base {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/// Multiplies the big-endian number by ten and adds a digit.
void append_decimal_digit(Bytes& octets, int digit) {
  int carry = digit;
  for (auto it = octets.rbegin(); it != octets.rend(); ++it) {
    const int value = *it * 10 + carry;
    *it = static_cast<std::uint8_t>(value & 255);
    carry = value >> 8;
  }
  if (carry != 0) octets.insert(octets.begin(), static_cast<std::uint8_t>(carry));
}

/// Divides the big-endian number by ten and returns the remainder.
int take_decimal_digit(Bytes& octets) {
  int remainder = 0;
  for (auto& octet : octets) {
    const int value = remainder * 256 + octet;
    octet = static_cast<std::uint8_t>(value / 10);
    remainder = value % 10;
  }
  while (!octets.empty() && octets.front() == 0) octets.erase(octets.begin());
  return remainder;
}

}  // namespace

Status check_word(std::string_view text, std::string_view kind) {
  const auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; };
  const bool good = !text.empty() && text.size() <= kMaxNameLength && (is_lower(text[0]) || is_digit(text[0])) &&
                    std::ranges::all_of(text, allowed);
  if (good) return {};
  return Error(Code::Malformed, std::string(kind) + " is not acceptable, expected 1 to " + std::to_string(kMaxNameLength) +
                                    " of a-z 0-9 - _, a letter or digit first");
}

Result<Serial> Serial::from_hex(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ':') digits += c;
  }
  if (digits.empty() || digits.size() > 2 * kMaxSerialOctets + 2) {
    return Error(Code::Malformed, "serial of " + std::to_string(digits.size()) + " hexadecimal digits, expected 1 to 40");
  }
  if (digits.size() % 2 != 0) digits.insert(digits.begin(), '0');
  PKI_TRY(const auto octets, base::from_hex(digits));
  return from_octets(octets);
}

Result<Serial> Serial::from_octets(ByteView octets) {
  while (!octets.empty() && octets.front() == 0) octets = octets.subspan(1);
  if (octets.empty()) return Error(Code::Malformed, "serial is zero, expected a positive number");
  if (octets.size() > kMaxSerialOctets || (octets.size() == kMaxSerialOctets && octets.front() >= 0x80)) {
    return Error(Code::Malformed, "serial of more than 159 bits, expected at most 20 octets (RFC 5280 4.1.2.2)");
  }
  return Serial(to_hex(octets));
}

Result<Serial> Serial::from_decimal(std::string_view digits) {
  constexpr std::size_t kMaxDecimalDigits = 48;  // 2^159 has 48 digits
  if (digits.empty() || digits.size() > kMaxDecimalDigits || !std::ranges::all_of(digits, is_digit)) {
    return Error(Code::Malformed, "serial is not a decimal number of at most 48 digits");
  }
  Bytes octets;
  for (const char c : digits) append_decimal_digit(octets, c - '0');
  return from_octets(octets);
}

Serial Serial::random() {
  constexpr std::size_t kOctets = 19;
  Bytes octets(kOctets);
  do {
    fill_random(octets);
    octets[0] &= 0x7f;
  } while (octets[0] == 0);  // a zero lead octet would cost the random octet after it its top bit (incident I1)
  return Serial(to_hex(octets));
}

std::string Serial::decimal() const {
  auto octets = this->octets();
  std::string digits;
  while (!octets.empty()) digits += static_cast<char>('0' + take_decimal_digit(octets));
  std::ranges::reverse(digits);
  return digits;
}

Bytes Serial::octets() const { return base::from_hex(hex_).value(); }

}  // namespace chancery::base
