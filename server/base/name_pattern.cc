#include "server/base/name_pattern.h"

#include <algorithm>
#include <utility>

#include "server/base/glob.h"
#include "server/base/text.h"
#include "server/base/text_pattern.h"

namespace chancery::base {
namespace {

constexpr std::size_t kMaxNameOctets = 253;  // RFC 1035 2.3.4
constexpr std::size_t kMaxLabelOctets = 63;

Error unexpected(std::string_view text) {
  return {Code::Malformed,
          "found \"" + printable(text, 80) +
              "\", expected a name like host.example.com, a glob like *.example.com, .example.com for all below it, "
              "a network like 10.0.0.0/8, or a regular expression like /web-[0-9]+\\.example\\.com/"};
}

bool is_label(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*';
  };
  return !label.empty() && label.size() <= kMaxLabelOctets && std::ranges::all_of(label, allowed) && !label.starts_with('-') &&
         !label.ends_with('-');
}

bool fit(const std::vector<std::string>& globs, std::size_t first, const std::vector<std::string>& labels) {
  return globs.size() - first == labels.size() &&
         std::equal(labels.begin(), labels.end(), globs.begin() + static_cast<std::ptrdiff_t>(first),
                    [](const std::string& label, const std::string& glob) { return matches_glob(glob, label); });
}

/// What every name that the labels match ends with.
std::string tail_of(const std::string& name) {
  const auto star = name.rfind('*');
  if (star == std::string::npos) return name;
  const auto dot = name.find('.', star);
  return dot == std::string::npos ? std::string() : name.substr(dot);
}

}  // namespace

Result<NamePattern> NamePattern::parse(std::string_view text) {
  NamePattern pattern;
  pattern.text_ = text;
  if (const auto regex = regex_within(text)) {
    PKI_TRY(pattern.regex_, AnchoredRegex::parse(*regex));
    return pattern;
  }
  pattern.text_ = to_lower_ascii(text);
  if (auto network = Network::parse(text); network.ok()) {
    pattern.network_ = std::move(*network);
    return pattern;
  }
  const bool is_suffix = text.starts_with('.');
  const auto name = to_lower_ascii(is_suffix ? text.substr(1) : text);
  const auto labels = split(name, '.');
  const bool globs = name.find('*') != std::string::npos;
  const bool is_number = labels.back().find_first_not_of("0123456789") == std::string::npos;  // a mistyped address
  if (name.size() > kMaxNameOctets || (is_suffix && globs) || is_number || !std::ranges::all_of(labels, is_label))
    return unexpected(text);
  if (is_suffix) {
    pattern.suffix_ = "." + name;
    pattern.tail_ = pattern.suffix_;
  } else {
    pattern.labels_ = labels;
    pattern.tail_ = tail_of(name);
  }
  return pattern;
}

bool NamePattern::matches_name(std::string_view name) const {
  if (regex_) return regex_->matches(name);
  if (!suffix_.empty()) return name.size() > suffix_.size() && name.ends_with(suffix_);
  return !labels_.empty() && fit(labels_, 0, split(name, '.'));
}

bool NamePattern::is_below(std::string_view parent) const {
  return regex_.has_value() || (!labels_.empty() && fit(labels_, 1, split(parent, '.')));
}

bool NamePattern::matches_address(ByteView octets) const { return network_ && network_->contains(octets); }

}  // namespace chancery::base
