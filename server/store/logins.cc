#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Who failed to log in, and who is in.
namespace chancery::store {
namespace {

constexpr std::size_t kMostSessions = 2000;  ///< of one person that are looked at; more than any setting allows

std::int64_t wide(int value) { return value; }

}  // namespace

Result<realm::LoginCount> Store::login_count(const std::string& who) {
  PKI_TRY(const auto out, run("login_count_get", {{"who", who}}));
  realm::LoginCount count;
  if (out.rows.empty()) return count;
  Row row(out, 0);
  count = {.failures = static_cast<int>(row.integer("failures")),
           .pending = static_cast<int>(row.integer("pending")),
           .last_failed_at = row.time("last_failed_at"),
           .pending_until = row.time("pending_until")};
  PKI_TRY_VOID(row.status());
  return count;
}

Status Store::put_login_count(const std::string& who, const realm::LoginCount& count, Seconds now) {
  if (count.failures == 0 && count.pending == 0) {
    PKI_TRY([[maybe_unused]] const auto gone, run("login_count_delete", {{"who", who}}));
    return {};
  }
  PKI_TRY([[maybe_unused]] const auto put, run("login_count_put", {{"who", who},
                                                                   {"failures", wide(count.failures)},
                                                                   {"pending", wide(count.pending)},
                                                                   {"last_failed_at", count.last_failed_at},
                                                                   {"pending_until", count.pending_until},
                                                                   {"touched_at", now}}));
  return {};
}

Result<std::optional<std::chrono::seconds>> Store::begin_login(const std::string& who, const realm::LockoutRules& rules,
                                                               Seconds now) {
  return transact(*driver_, Access::Write, [&]() -> Result<std::optional<std::chrono::seconds>> {
    PKI_TRY(auto count, login_count(who));
    const auto wait = realm::begin_attempt(count, rules, now);
    PKI_TRY_VOID(put_login_count(who, count, now));
    return wait;
  });
}

Status Store::end_login(const std::string& who, LoginOutcome outcome, Seconds now) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(auto count, login_count(who));
    if (outcome == LoginOutcome::Wrong) realm::end_in_failure(count, now);
    if (outcome == LoginOutcome::Undecided) realm::end_undecided(count);
    if (outcome == LoginOutcome::Right || outcome == LoginOutcome::RightForgives)
      realm::end_in_success(count, outcome == LoginOutcome::RightForgives);
    return put_login_count(who, count, now);
  });
}

Status Store::purge_login_counts(Seconds before, std::size_t limit) {
  PKI_TRY(const auto old, run("login_count_old", {{"before", before}, {"limit", number(limit)}}));
  for (std::size_t i = 0; i < old.rows.size(); ++i) {
    const auto who = Row(old, i).text("who");
    const auto gone = transact(*driver_, Access::Write, [&]() -> Status {
      PKI_TRY([[maybe_unused]] const auto deleted, run("login_count_delete", {{"who", who}}));
      return {};
    });
    PKI_TRY_VOID(gone);
  }
  return {};
}

Result<bool> Store::begin_login_session(const LoginSession& login, std::size_t most, std::chrono::seconds idle, Seconds now) {
  return transact(*driver_, Access::Write, [&]() -> Result<bool> {
    PKI_TRY(const auto out, run("login_session_list", {{"person", login.person}, {"limit", number(kMostSessions)}}));
    std::size_t in_force = 0;
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      Row row(out, i);
      const auto id = row.text("id");
      const bool lives = row.time("ends_at") > now && row.time("seen_at") + idle > now;
      PKI_TRY_VOID(row.status());
      if (lives) ++in_force;
      if (lives) continue;
      PKI_TRY([[maybe_unused]] const auto gone, run("login_session_delete", {{"person", login.person}, {"id", id}}));
    }
    if (in_force >= most) return false;
    PKI_TRY([[maybe_unused]] const auto added,
            run("login_session_insert", {{"person", login.person}, {"id", login.id}, {"at", now}, {"ends_at", login.ends_at}}));
    return true;
  });
}

Status Store::see_login_session(const LoginSession& login, Seconds now) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto seen, run("login_session_seen", {{"person", login.person}, {"id", login.id}, {"at", now}}));
    return seen.changed == 1 ? Status() : Error(Code::NotFound, "no login of " + login.person);
  });
}

Status Store::end_login_session(const LoginSession& login) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto gone, run("login_session_delete", {{"person", login.person}, {"id", login.id}}));
    return {};
  });
}

}  // namespace chancery::store
