#include "server/base/mail_address.h"

#include <algorithm>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::size_t kMostOctets = 254;  // RFC 5321 4.5.3.1.3, without the angle brackets
constexpr std::size_t kMostLocal = 64;    // 4.5.3.1.1
constexpr std::size_t kMostLabel = 63;    // RFC 1035 2.3.4

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// RFC 5322 3.2.3
bool is_atom(const std::string& text) {
  constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~";
  return !text.empty() &&
         std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || kOthers.find(c) != std::string_view::npos; });
}

bool is_label(const std::string& text) {
  return !text.empty() && text.size() <= kMostLabel && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

}  // namespace

bool is_mail_address(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || text.size() > kMostOctets || at > kMostLocal) return false;
  return std::ranges::all_of(split(text.substr(0, at), '.'), is_atom) &&
         std::ranges::all_of(split(text.substr(at + 1), '.'), is_label);
}

std::string mail_domain(std::string_view text) { return to_lower_ascii(text.substr(text.rfind('@') + 1)); }

}  // namespace chancery::base
