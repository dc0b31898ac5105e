#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "server/x509/general_name.h"
#include "server/x509/name.h"

namespace chancery::realm {

/// What the rules say.
struct Ruling {
  bool granted = true;
  std::string rule;                                   ///< the one that decided; empty: none holds
  std::string detail;                                 ///< for people
  std::optional<std::chrono::seconds> most_validity;  ///< for who did not ask for a length
  std::optional<x509::Name> subject;                  ///< what the rule makes of it
  std::optional<std::vector<x509::GeneralName>> sans;
};

}  // namespace chancery::realm
