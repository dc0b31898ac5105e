#pragma once

#include <string>

namespace chancery::base {

/// What an approver of a request signs: the request's digest behind words that nothing else which a certificate of ours signs
/// begins with, so that no signature made for another purpose counts as an approval, nor the other way round.
inline std::string approval_text(const std::string& digest_hex) { return "chancery request approval 1\n" + digest_hex + "\n"; }

}  // namespace chancery::base
