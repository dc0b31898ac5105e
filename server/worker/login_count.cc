#include "server/worker/login_count.h"

#include "server/base/log.h"
#include "server/base/network.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::worker {
namespace {

/// Foreign text of any length as a key of one length.
std::string key_of(const std::string& what) { return crypto::sha256_hex(base::as_bytes(what)); }

bool is_behind_front_end(const Session& session) { return !session.opened_as().front_end.empty(); }

std::string unix_user(const Session& session) { return "uid " + std::to_string(session.peer().uid); }

/// What counts as one client: an IPv4 address, the /64 of an IPv6 one.
std::string client_of(std::string_view address) {
  const auto network = base::Network::parse(std::string(address) + "/64");
  return address.find(':') != std::string_view::npos && network.ok() ? network->whole().text() : std::string(address);
}

/// Who guesses: behind a front end the one that it speaks for, of an address in IPv6 its /64, which is one client's.
std::string guesser(const Session& session) {
  constexpr std::string_view kByAddress = "http:";
  if (!is_behind_front_end(session)) return unix_user(session);
  const auto whom = session.requester();
  const auto address = std::string_view(whom).substr(whom.starts_with(kByAddress) ? kByAddress.size() : whom.size());
  return "peer " + (address.empty() ? whom : std::string(kByAddress) + client_of(address));
}

}  // namespace

Status LoginAttempt::begin_one(const std::string& what, const realm::LockoutRules& rules, bool forgives) {
  PKI_TRY(auto* store, session_->store());
  const auto key = key_of(what);
  PKI_TRY(const auto wait, store->begin_login(key, rules, session_->clock().now()));
  if (!wait) {
    counted_.push_back({key, forgives});
    return {};
  }
  base::log_warning("login not tried: " + what + " has failed too often");
  const Error busy(Code::Busy, "too many failed logins, nothing was tried",
                   "try again in " + std::to_string(wait->count()) + " s");
  PKI_TRY_VOID(end(busy));
  return busy;
}

Result<LoginAttempt> LoginAttempt::begin(Session& session, const std::string& user) {
  LoginAttempt attempt(session);
  const auto& limits = session.realm().people.limits;
  // Behind a front end all of its clients are one Unix user. Who can log in as himself is not to wash that one's failures off.
  if (!is_behind_front_end(session))
    PKI_TRY_VOID(attempt.begin_one(unix_user(session), {limits.failures_per_peer, limits.lockout, limits.delay}, false));
  if (user.empty()) return attempt;
  const auto name = "user " + base::printable(base::to_lower_ascii(user));
  PKI_TRY_VOID(attempt.begin_one(name, {limits.failures, limits.lockout, limits.delay}, true));
  return attempt;
}

Result<LoginAttempt> LoginAttempt::begin_guess(Session& session, const std::string& secret) {
  LoginAttempt attempt(session);
  const auto& limits = session.realm().people.limits;
  const auto who = guesser(session);
  // Behind an address may be many, who do not wait for each other as long as few of them are wrong.
  const auto delay = is_behind_front_end(session) ? std::chrono::seconds{0} : limits.delay;
  PKI_TRY_VOID(attempt.begin_one(who, {limits.failures_per_peer, limits.lockout, delay}, false));
  const auto guess = who + ", " + base::printable(base::to_lower_ascii(secret));
  PKI_TRY_VOID(attempt.begin_one(guess, {limits.failures, limits.lockout, limits.delay}, true));
  return attempt;
}

Status LoginAttempt::end(const Status& outcome) {
  PKI_TRY(auto* store, session_->store());
  for (const auto& one : counted_) {
    auto how = one.forgives ? store::LoginOutcome::RightForgives : store::LoginOutcome::Right;
    if (!outcome.ok())
      how = outcome.error().code() == Code::AuthFailed ? store::LoginOutcome::Wrong : store::LoginOutcome::Undecided;
    PKI_TRY_VOID(store->end_login(one.key, how, session_->clock().now()));
  }
  counted_.clear();
  return {};
}

}  // namespace chancery::worker
