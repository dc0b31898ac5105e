#include "server/base/text_pattern.h"

#include <utility>

#include "server/base/glob.h"
#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::size_t kMaxOctets = 512;

}  // namespace

std::optional<std::string_view> regex_within(std::string_view text) {
  if (text.size() < 3 || !text.starts_with('/') || !text.ends_with('/')) return std::nullopt;
  return text.substr(1, text.size() - 2);
}

Result<TextPattern> TextPattern::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxOctets)
    return Error(Code::Malformed,
                 "found " + std::to_string(text.size()) + " octets, expected a text of 1 to " + std::to_string(kMaxOctets));
  TextPattern pattern;
  pattern.text_ = text;
  if (const auto regex = regex_within(text)) {
    PKI_TRY(pattern.regex_, AnchoredRegex::parse(*regex));
  } else {
    pattern.glob_ = to_lower_ascii(text);
  }
  return pattern;
}

bool TextPattern::matches(std::string_view text) const {
  return regex_ ? regex_->matches(text) : matches_glob(glob_, to_lower_ascii(text));
}

}  // namespace chancery::base
