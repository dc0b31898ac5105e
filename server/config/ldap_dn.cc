#include "server/config/ldap_dn.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "server/base/bytes.h"
#include "server/base/text.h"

namespace chancery::config {
namespace {

constexpr std::size_t kMostShown = 80;
constexpr std::size_t kHexPair = 2;

Error wrong(std::string_view found, std::string_view expected) {
  return {Code::BadConfig, "found \"" + base::printable(found, kMostShown) + "\", expected " + std::string(expected)};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(std::string_view text) { return base::from_hex(base::to_lower_ascii(text)).ok(); }

/// Parts between separators that no backslash stands before; the backslashes stay.
std::vector<std::string_view> split_unescaped(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (separators.find(text[i]) != std::string_view::npos) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

/// descr = keystring (RFC 4512 1.4).
bool is_keystring(std::string_view text) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-'; };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, fits);
}

/// numericoid, of two numbers at least (RFC 4512 1.4).
bool is_numeric_oid(std::string_view text) {
  const auto numbers = base::split(text, '.');
  const auto is_number = [](const std::string& one) {
    return !one.empty() && std::ranges::all_of(one, is_digit) && (one == "0" || one.front() != '0');
  };
  return numbers.size() > 1 && std::ranges::all_of(numbers, is_number);
}

/// pair = ESC ( ESC / special / hexpair ), special = escaped / SPACE / SHARP / EQUALS. @return its octets behind the backslash;
/// 0: there is no such pair.
std::size_t length_of_pair(std::string_view behind) {
  constexpr std::string_view kSpecial = "\\\"+,;<> #=";
  if (!behind.empty() && kSpecial.find(behind.front()) != std::string_view::npos) return 1;
  return behind.size() >= kHexPair && is_hex(behind.substr(0, kHexPair)) ? kHexPair : 0;
}

/// hexstring = SHARP 1*hexpair.
Status check_hex_string(std::string_view value) {
  const auto digits = value.substr(1);
  if (!digits.empty() && is_hex(digits)) return {};
  return wrong(value, "pairs of hex digits behind # (RFC 4514 2.4), or \\# for the character");
}

Status check_string(std::string_view value) {
  constexpr std::string_view kEscaped = "\"+,;<>";
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\0' || kEscaped.find(value[i]) != std::string_view::npos)
      return wrong(value, std::string("\\") + value[i] + " for " + value[i] + " in a value (RFC 4514 2.4)");
    if (value[i] != '\\') continue;
    const auto length = length_of_pair(value.substr(i + 1));
    if (length == 0) return wrong(value, "one of \\ \" + , ; < > # = and blank, or two hex digits, behind a backslash");
    i += length;
  }
  return {};
}

/// attributeTypeAndValue = attributeType EQUALS attributeValue.
Status check_pair(std::string_view pair) {
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos) return wrong(pair, "TYPE=value, as each part of a DN is (RFC 4514)");
  const auto type = base::trim(pair.substr(0, equals));
  if (!is_keystring(type) && !is_numeric_oid(type)) return wrong(pair, "an attribute type before =, like cn or 2.5.4.3");
  auto value = pair.substr(equals + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (value.empty()) return wrong(pair, "a value behind =");
  if (!value.starts_with('#')) return check_string(value);
  return check_hex_string(base::trim(value));
}

}  // namespace

Status check_ldap_dn(std::string_view text) {
  if (text.empty()) return {};
  if (!base::is_utf8(text)) return wrong(text, "UTF-8");
  for (const auto rdn : split_unescaped(text, ",")) {
    if (base::trim(rdn).empty()) return wrong(text, "TYPE=value between commas (RFC 4514)");
    for (const auto pair : split_unescaped(rdn, "+")) PKI_TRY_VOID(check_pair(pair));
  }
  return {};
}

/// A pair of hex digits may stand wherever a value's character may, and nowhere else.
Status check_ldap_dn_template(std::string_view text) {
  constexpr std::string_view kSomeCharacter = "\\41";
  constexpr std::array<std::string_view, 2> kPlaces{"{ca}", "{cn}"};
  std::string filled(text);
  for (const auto place : kPlaces) {
    for (auto at = filled.find(place); at != std::string::npos; at = filled.find(place))
      filled.replace(at, place.size(), kSomeCharacter);
  }
  if (check_ldap_dn(filled).ok()) return {};
  // Said of what stands there, where that is wrong by itself.
  PKI_TRY_VOID(check_ldap_dn(text));
  return wrong(text, "{ca} and {cn} in values alone");
}

}  // namespace chancery::config
