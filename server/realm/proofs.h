#pragma once

#include <string>

#include "server/realm/rules.h"

namespace chancery::realm {

/// What the rule's proofs come to, asked in their order until they are enough. @errors Busy, Unavailable: of facts.
Result<Points> count_points(const config::PolicyRule& rule, const Question& question, const Facts& facts);

/// Behind a sentence: ", with 2 of 2 points: challenge:fleet, not holder"; empty: nothing had to be shown.
std::string in_words(const Points& points);

}  // namespace chancery::realm
