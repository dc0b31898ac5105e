#include "server/x509/name.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/x509/attribute_types.h"

namespace chancery::x509 {
namespace {

Error wrong(std::string what) { return Error(Code::Malformed, "name: " + std::move(what)); }

/// Inclusive ranges that have no place in a name: controls, directions, what is invisible or no character at all.
struct Range {
  char32_t first;
  char32_t last;
};
constexpr std::array kForbidden{
    Range{0x0000, 0x001f}, Range{0x007f, 0x009f}, Range{0x061c, 0x061c}, Range{0x200b, 0x200f}, Range{0x2028, 0x202e},
    Range{0x2060, 0x2069}, Range{0xe000, 0xf8ff}, Range{0xfdd0, 0xfdef}, Range{0xfeff, 0xfeff}, Range{0xfff0, 0xffff},
};

/// The next character of valid UTF-8.
char32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t out = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) out = out << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(length);
  return out;
}

/// Splits at an unescaped separator; the escapes stay.
std::vector<std::string> split_escaped(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == separator) {
      parts.emplace_back();
      continue;
    }
    parts.back().push_back(text[i]);
    if (text[i] == '\\' && i + 1 < text.size()) parts.back().push_back(text[++i]);
  }
  return parts;
}

/// "\x" is x for the characters of the set; "\hh" an octet when hex pairs are allowed (RFC 4514 3).
Result<std::string> unescape(std::string_view text, std::string_view escapable, bool hex_pairs) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    const auto left = text.substr(i + 1);
    if (!left.empty() && escapable.find(left.front()) != std::string_view::npos) {
      out.push_back(left.front());
      ++i;
      continue;
    }
    const auto octet = base::from_hex(left.substr(0, 2));
    if (!hex_pairs || left.size() < 2 || !octet.ok()) return wrong("a backslash before what needs none");
    out.push_back(static_cast<char>(octet->front()));
    i += 2;
  }
  return out;
}

constexpr std::string_view kSlashEscapes = "/\\=";
constexpr std::string_view kCommaEscapes = ",+\"\\<>;# =";

Result<Attribute> read_pair(std::string_view text, std::string_view escapes, bool hex_pairs) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return wrong("\"" + base::printable(text, 60) + "\" is not of the form TYPE=value");
  const auto type = base::trim(text.substr(0, equals));
  const auto row = attribute_type(type);
  if (!row) return wrong("attribute type \"" + base::printable(type, 40) + "\" is not known");
  PKI_TRY(auto value, unescape(text.substr(equals + 1), escapes, hex_pairs));
  return Attribute{row->type.empty() ? row->oid : std::string(row->type), std::move(value)};
}

std::string escape(std::string_view value, std::string_view escapes) {
  std::string out;
  for (const char c : value) {
    if (escapes.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

/// RFC 4514 2.4.
std::string escape_comma(std::string_view value) {
  auto out = escape(value, ",+\"\\<>;");
  if (value.ends_with(' ')) out.insert(out.size() - 1, "\\");
  if ((value.starts_with(' ') && value.size() > 1) || value.starts_with('#')) out.insert(0, "\\");
  return out;
}

}  // namespace

Status check_text(std::string_view text) {
  if (!base::is_utf8(text)) return Error(Code::Malformed, "is no UTF-8");
  while (!text.empty()) {
    const auto character = take_character(text);
    const auto is_in = [character](const Range& range) { return character >= range.first && character <= range.last; };
    if (std::ranges::any_of(kForbidden, is_in)) return Error(Code::Malformed, "holds a control or direction character");
  }
  return {};
}

Result<Name> Name::from_slash(std::string_view text) {
  Name name;
  if (text.empty() || text == "/") return name;
  if (text.size() > kMaxNameBytes) return wrong("above 8192 octets");
  if (!text.starts_with('/')) return wrong("\"" + base::printable(text, 60) + "\" does not begin with '/'");
  for (const auto& part : split_escaped(text.substr(1), '/')) {
    PKI_TRY(auto attribute, read_pair(part, kSlashEscapes, false));
    name.attributes.push_back(std::move(attribute));
  }
  PKI_TRY_VOID(name.check());
  return name;
}

Result<Name> Name::from_comma(std::string_view text) {
  Name name;
  if (base::trim(text).empty()) return name;
  if (text.size() > kMaxNameBytes) return wrong("above 8192 octets");
  for (const auto& part : split_escaped(text, ',')) {
    if (split_escaped(part, '+').size() > 1) return wrong("an RDN of several attributes is not taken");
    const auto start = part.find_first_not_of(' ');
    PKI_TRY(auto attribute, read_pair(start == std::string::npos ? std::string() : part.substr(start), kCommaEscapes, true));
    name.attributes.push_back(std::move(attribute));
  }
  std::ranges::reverse(name.attributes);
  PKI_TRY_VOID(name.check());
  return name;
}

Result<Name> Name::parse_any(std::string_view text) { return text.starts_with('/') ? from_slash(text) : from_comma(text); }

std::string Name::to_slash() const {
  std::string out;
  for (const auto& [type, value] : attributes) out += "/" + type + "=" + escape(value, "/\\");
  return out;
}

std::string Name::to_comma() const {
  std::string out;
  for (auto at = attributes.rbegin(); at != attributes.rend(); ++at) {
    out += (out.empty() ? "" : ",") + at->type + "=" + escape_comma(at->value);
  }
  return out;
}

std::optional<std::string> Name::common_name() const {
  const auto at = std::find_if(attributes.rbegin(), attributes.rend(), [](const Attribute& a) { return a.type == "CN"; });
  if (at == attributes.rend()) return std::nullopt;
  return at->value;
}

}  // namespace chancery::x509
