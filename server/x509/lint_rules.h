#pragma once

#include <algorithm>
#include <string>

#include "server/x509/lint.h"

namespace chancery::x509 {

/// What a rule says: nothing when it holds.
using Verdict = std::string;
inline const Verdict kPass;

/// Lists compared without order.
inline bool same_words(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

inline bool has_word(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// The octets with a signature that signs nothing, so that whole objects can be read.
Result<Bytes> with_throwaway_signature(ByteView tbs, crypto::SignatureAlgorithm algorithm);

}  // namespace chancery::x509
