#include "server/base/anchored_regex.h"

#include <re2/re2.h>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::int64_t kMostMemory = 1 << 20;  // of one expression, with what matching builds

RE2::Options options() {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_never_nl(true);
  options.set_max_mem(kMostMemory);
  return options;
}

}  // namespace

struct AnchoredRegex::Compiled {
  explicit Compiled(std::string_view pattern) : regex(re2::StringPiece(pattern.data(), pattern.size()), options()) {}
  RE2 regex;
};

Result<AnchoredRegex> AnchoredRegex::parse(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > kMaxRegexOctets) {
    return Error(Code::Malformed, "found a regular expression of " + std::to_string(pattern.size()) + " octets, expected 1 to " +
                                      std::to_string(kMaxRegexOctets));
  }
  AnchoredRegex made;
  auto compiled = std::make_shared<const Compiled>(pattern);
  if (!compiled->regex.ok())
    return Error(Code::Malformed,
                 "found \"" + printable(pattern, 80) + "\", which is no regular expression: " + compiled->regex.error());
  made.compiled_ = std::move(compiled);
  return made;
}

bool AnchoredRegex::matches(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled_->regex);
}

}  // namespace chancery::base
