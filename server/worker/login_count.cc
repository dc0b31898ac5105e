#include "server/worker/login_count.h"

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::worker {
namespace {

/// Foreign text of any length as a key of one length.
std::string key_of(const std::string& what) { return base::to_hex(crypto::sha256(base::as_bytes(what))); }

}  // namespace

Status LoginAttempt::begin_one(const std::string& what, int failures) {
  const auto& limits = session_->realm().people.limits;
  PKI_TRY(auto* store, session_->store());
  const auto key = key_of(what);
  PKI_TRY(const auto wait, store->begin_login(key, {failures, limits.lockout, limits.delay}, session_->clock().now()));
  if (!wait) {
    counted_.push_back(key);
    return {};
  }
  base::log_warning("login not tried: " + what + " has failed too often");
  return Error(Code::Busy, "too many failed logins, nothing was tried", "try again in " + std::to_string(wait->count()) + " s");
}

Result<LoginAttempt> LoginAttempt::begin(Session& session, const std::string& user) {
  LoginAttempt attempt(session);
  const auto& limits = session.realm().people.limits;
  // Behind a front end all of its clients are one Unix user.
  if (session.opened_as().front_end.empty())
    PKI_TRY_VOID(attempt.begin_one("uid " + std::to_string(session.peer().uid), limits.failures_per_peer));
  if (user.empty()) return attempt;
  const auto begun = attempt.begin_one("user " + base::printable(base::to_lower_ascii(user)), limits.failures);
  if (begun.ok()) return attempt;
  PKI_TRY_VOID(attempt.end(begun));
  return begun.error();
}

Status LoginAttempt::end(const Status& outcome) {
  PKI_TRY(auto* store, session_->store());
  for (std::size_t i = 0; i < counted_.size(); ++i) {
    auto how = outcome.ok() ? store::LoginOutcome::RightForgives : store::LoginOutcome::Undecided;
    if (!outcome.ok() && outcome.error().code() == Code::AuthFailed) how = store::LoginOutcome::Wrong;
    // Who can log in as himself is not to wash a Unix user's failures off with that.
    const bool is_peer = i == 0 && session_->opened_as().front_end.empty();
    if (is_peer && how == store::LoginOutcome::RightForgives) how = store::LoginOutcome::Right;
    PKI_TRY_VOID(store->end_login(counted_[i], how, session_->clock().now()));
  }
  counted_.clear();
  return {};
}

}  // namespace chancery::worker
