#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/realm/rules.h"

namespace chancery::realm {

/// What came of each of a rule's proofs; none: it was not looked at.
using SeenProofs = std::vector<std::optional<bool>>;

/// Those that cost nobody else a question, in their order until they are enough. @errors Busy, Unavailable: of facts.
Result<SeenProofs> see_proofs(const config::PolicyRule& rule, const Question& question, const Facts& facts);

/// Whether they are enough if all others hold: else nobody is asked about a request that shows nothing.
bool may_be_enough(const config::PolicyRule& rule, const SeenProofs& seen);

/// What the rule's proofs come to, in their order until they are enough. @errors Busy, Unavailable: of facts.
Result<Points> count_points(const config::PolicyRule& rule, const Question& question, const Facts& facts, const SeenProofs& seen);

/// Behind a sentence: ", with 2 of 2 points: challenge:fleet, not holder"; empty: nothing had to be shown.
std::string in_words(const Points& points);

}  // namespace chancery::realm
