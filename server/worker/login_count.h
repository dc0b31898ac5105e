#pragma once

#include <string>
#include <vector>

#include "server/realm/lockout.h"
#include "server/worker/session.h"

namespace chancery::worker {

inline constexpr int kMostFailedLogins = 5;  ///< of one connection, which then ends: each attempt is recorded

/// One attempt to log in, counted in the store before anything is compared (realm/lockout.h). What is forgotten to be ended
/// counts as a failure after a while.
class LoginAttempt {
 public:
  /// @param user  whose secret could be guessed; empty: nobody's. @errors Busy: not yet, the message says how long.
  static Result<LoginAttempt> begin(Session& session, const std::string& user);
  /// The same of a secret that many share, or that stands for a name: counted for who guesses alone, who is the one that a front
  /// end speaks for, so that nobody locks it for others. @param secret  which one, and for whom
  static Result<LoginAttempt> begin_guess(Session& session, const std::string& secret);
  /// @param outcome  AuthFailed counts as wrong, another error as nobody's fault.
  Status end(const Status& outcome);

 private:
  explicit LoginAttempt(Session& session) : session_(&session) {}
  struct Counted {
    std::string key;
    bool forgives;  ///< who is right is forgiven what was wrong before
  };
  Status begin_one(const std::string& what, const realm::LockoutRules& rules, bool forgives);

  Session* session_;
  std::vector<Counted> counted_;
};

}  // namespace chancery::worker
