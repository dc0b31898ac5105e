#include "server/base/name_pattern.h"
#include "server/base/glob.h"
#include "server/base/text.h"
#include "server/base/text_pattern.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

/// A name that a pattern means ends as the pattern says; the store finds rows by that.
void check(const base::NamePattern& pattern, const std::string& name) {
  const auto again = base::NamePattern::parse(pattern.text());
  fuzz::hold(again.ok() && *again == pattern && again->tail() == pattern.tail());
  fuzz::hold(again->matches_name(name) == pattern.matches_name(name));
  if (pattern.tail().empty() || !pattern.matches_name(name)) return;
  fuzz::hold(name == pattern.tail() || name.ends_with(pattern.tail()));
}

}  // namespace

/// A pattern of a rule in the first line, and what a stranger asks for in the rest.
FUZZ_TARGET(name_pattern) {
  const auto end = input.find('\n');
  const auto text = input.substr(0, end);
  const auto asked = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  const auto name = base::to_lower_ascii(asked);
  if (const auto pattern = base::NamePattern::parse(text); pattern.ok()) {
    check(*pattern, name);
    static_cast<void>(pattern->is_below(name));
    static_cast<void>(pattern->matches_address(base::as_bytes(asked)));
  }
  if (const auto network = base::Network::parse(text); network.ok()) {
    const auto again = base::Network::parse(network->text());
    fuzz::hold(again.ok() && again->contains(asked) == network->contains(asked));
    fuzz::hold(text.find_first_not_of("0123456789abcdefABCDEF.:/") == std::string_view::npos);
  }
  if (const auto pattern = base::TextPattern::parse(text); pattern.ok()) static_cast<void>(pattern->matches(asked));
}
