#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/store/people_records.h"

namespace chancery::worker {

/// A login by one of the realm's stacks.
struct PersonLogin {
  std::string stack;
  std::string person;                        ///< name; empty: a certificate's or Unix user's login
  std::vector<std::string> by_stack;         ///< roles that the stack gave, by name
  std::string token = {};                    ///< id of the token that it stands on; empty: none
  std::vector<std::string> commands = {};    ///< what the token is for, globs; empty: all
  std::vector<std::string> only_roles = {};  ///< the token's; empty: all that the person has
  bool must_be_known = false;                ///< it ends with the person's entry in the realm's store
  Seconds ends_at{};
  Seconds seen_at{};
  std::optional<store::LoginSession> counted = {};  ///< where the realm limits them
  Seconds noted_at{};                               ///< when `counted` was seen last in the store
};

}  // namespace chancery::worker
