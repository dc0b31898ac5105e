#pragma once

#include <functional>
#include <string>

#include "server/base/clock.h"
#include "server/base/result.h"

namespace chancery::store {

/// Whether something may be written: asked in the transaction that writes it, before that does. What is counted then nobody
/// changes meanwhile, so that of many who ask at once as many pass as one after the other would (PROMISES C30). It reads from
/// the same store, no more, and may be asked again.
using Allowance = std::function<Status()>;

/// A validation that goes on. Until its end it counts as a failure would, for it may become one.
struct AcmeValidation {
  std::string account;
  std::string name;  ///< "DNS:a.example.com"
  Seconds ends{};    ///< when it lapses, if nobody says what was found
  std::string claim;
};

}  // namespace chancery::store
