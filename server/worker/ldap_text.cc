#include "server/worker/ldap_text.h"

namespace chancery::worker {

std::string escape_in_filter(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kDelete = 0x7f;
  std::string out;
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= kFirstPrintable && octet < kDelete && std::string_view("*()\\").find(c) == std::string_view::npos) {
      out += c;
      continue;
    }
    out += '\\';
    out += kDigits[octet >> 4U];
    out += kDigits[octet & 0xfU];
  }
  return out;
}

std::string fill_filter(std::string_view filter, std::string_view user, std::string_view dn) {
  constexpr std::string_view kUser = "{user}";
  constexpr std::string_view kDn = "{dn}";
  std::string out;
  while (!filter.empty()) {
    if (filter.starts_with(kUser)) {
      out += escape_in_filter(user);
      filter.remove_prefix(kUser.size());
    } else if (filter.starts_with(kDn)) {
      out += escape_in_filter(dn);
      filter.remove_prefix(kDn.size());
    } else {
      out += filter.front();
      filter.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace chancery::worker
