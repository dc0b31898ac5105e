#include "server/base/text_pattern.h"

#include <utility>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::size_t kMaxOctets = 512;

}  // namespace

bool fits_glob(std::string_view glob, std::string_view text) {
  // When the rest does not fit, the last '*' takes one character more; those before it need never be tried again.
  std::size_t at = 0;
  std::size_t in_glob = 0;
  std::optional<std::size_t> star;
  std::size_t star_took = 0;
  while (at < text.size()) {
    if (in_glob < glob.size() && glob[in_glob] == '*') {
      star = in_glob++;
      star_took = at;
    } else if (in_glob < glob.size() && glob[in_glob] == text[at]) {
      ++in_glob;
      ++at;
    } else if (star) {
      in_glob = *star + 1;
      at = ++star_took;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', in_glob) == std::string_view::npos;
}

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
  return regex_ ? regex_->matches(text) : fits_glob(glob_, to_lower_ascii(text));
}

}  // namespace chancery::base
