#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/realm/lockout.h"

/// People of a realm and their logins, as the store keeps them.
namespace chancery::store {

struct PersonRecord {
  std::string name;
  std::string password;            ///< crypto::hash_password; empty: none
  std::vector<std::string> roles;  ///< by name
  bool enabled = true;
  Seconds created_at{};
  std::string created_by{};
  Seconds changed_at{};
};

struct LoginTokenRecord {
  std::string id;
  std::string digest;  ///< SHA-256 of the token, in hex
  std::string person;
  std::vector<std::string> commands;  ///< globs; empty: all
  std::vector<std::string> roles;     ///< empty: those of the person
  std::string note;
  Seconds expires_at{};
  Seconds created_at{};
  std::string created_by{};
};

/// What became of an attempt to log in.
enum class LoginOutcome { Right, RightForgives, Wrong, Undecided };

/// One login that is in force.
struct LoginSession {
  std::string person;
  std::string id;
  Seconds ends_at{};
};

}  // namespace chancery::store
