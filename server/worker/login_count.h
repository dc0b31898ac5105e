#pragma once

#include <string>
#include <vector>

#include "server/worker/session.h"

namespace chancery::worker {

inline constexpr int kMostFailedLogins = 5;  ///< of one connection, which then ends: each attempt is recorded

/// One attempt to log in, counted in the store before anything is compared (realm/lockout.h). What is forgotten to be ended
/// counts as a failure after a while.
class LoginAttempt {
 public:
  /// @param user  whose secret could be guessed; empty: nobody's. @errors Busy: not yet, the message says how long.
  static Result<LoginAttempt> begin(Session& session, const std::string& user);
  /// @param outcome  AuthFailed counts as wrong, another error as nobody's fault.
  Status end(const Status& outcome);

 private:
  explicit LoginAttempt(Session& session) : session_(&session) {}
  Status begin_one(const std::string& what, int failures);

  Session* session_;
  std::vector<std::string> counted_;
};

}  // namespace chancery::worker
