#include "clients/dns/records.h"

#include <algorithm>

#include "server/base/text.h"

namespace chancery::dns {
namespace {

constexpr std::uint8_t kCritical = 0x80;  // RFC 8659 4.1: bit 0, the most significant
constexpr std::size_t kCaaHead = 2;       ///< flags and the tag's length

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::uint8_t octet(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT)): labels and tags alike.
bool is_word(std::string_view text) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '-'; };
  return !text.empty() && std::ranges::all_of(text, allowed) && is_alnum(text.front()) && is_alnum(text.back());
}

bool is_issuer(std::string_view text) {
  return std::ranges::all_of(base::split(text, '.'), [](const std::string& label) { return is_word(label); });
}

bool is_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7e && c != ';'; });
}

/// parameter = tag *WSP "=" *WSP value
Result<std::pair<std::string, std::string>> read_parameter(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return Error(Code::Malformed, "a parameter without \"=\"");
  const auto tag = without_blanks(text.substr(0, equals));
  const auto value = without_blanks(text.substr(equals + 1));
  if (!is_word(tag)) return Error(Code::Malformed, "a parameter whose tag is not letters, digits and hyphens");
  if (!is_value(value)) return Error(Code::Malformed, "a parameter whose value is not printable ASCII without blanks");
  return std::pair(base::to_lower_ascii(tag), std::string(value));
}

}  // namespace

Result<std::string> read_txt(std::string_view rdata) {
  std::string text;
  for (std::size_t at = 0; at < rdata.size();) {
    const std::size_t length = octet(rdata, at);
    if (rdata.size() - at - 1 < length) return Error(Code::Malformed, "a TXT record that is shorter than it says");
    text.append(rdata.substr(at + 1, length));
    at += 1 + length;
  }
  return text;
}

Result<CaaRecord> read_caa(std::string_view rdata) {
  if (rdata.size() < kCaaHead) return Error(Code::Malformed, "a CAA record of " + std::to_string(rdata.size()) + " octets");
  const std::size_t tag_octets = octet(rdata, 1);
  if (rdata.size() - kCaaHead < tag_octets) return Error(Code::Malformed, "a CAA record that is shorter than it says");
  const auto tag = rdata.substr(kCaaHead, tag_octets);
  if (tag.empty() || !std::ranges::all_of(tag, is_alnum))
    return Error(Code::Malformed, "a CAA record whose tag is not letters and digits");
  return CaaRecord{(octet(rdata, 0) & kCritical) != 0, base::to_lower_ascii(tag),
                   std::string(rdata.substr(kCaaHead + tag_octets))};
}

std::size_t IssueValue::count(std::string_view tag) const {
  return static_cast<std::size_t>(std::ranges::count(parameters, tag, &std::pair<std::string, std::string>::first));
}

std::string_view IssueValue::find(std::string_view tag) const {
  const auto found = std::ranges::find(parameters, tag, &std::pair<std::string, std::string>::first);
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

/// issue-value = *WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]
Result<IssueValue> read_issue_value(std::string_view text) {
  const auto semicolon = text.find(';');
  const auto issuer = without_blanks(text.substr(0, semicolon));
  if (!issuer.empty() && !is_issuer(issuer)) return Error(Code::Malformed, "an issuer that is no domain name");
  IssueValue value{base::to_lower_ascii(issuer)};
  if (semicolon == std::string_view::npos) return value;
  const auto rest = without_blanks(text.substr(semicolon + 1));
  if (rest.empty()) return value;
  for (const auto& part : base::split(rest, ';')) {
    PKI_TRY(auto parameter, read_parameter(without_blanks(part)));
    value.parameters.push_back(std::move(parameter));
  }
  return value;
}

}  // namespace chancery::dns
