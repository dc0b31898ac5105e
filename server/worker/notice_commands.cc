#include <algorithm>
#include <optional>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/audit_notices.h"
#include "server/worker/ca_notices.h"
#include "server/worker/handlers.h"
#include "server/worker/notice_plan.h"
#include "server/worker/requests.h"
#include "server/worker/self_audit.h"

/// Notices that certificates end, for chancery-notify, which sends them, and for operators, who look at them.
namespace chancery::worker {
namespace {

using std::chrono::seconds;

constexpr std::size_t kDefaultPage = 100;
constexpr std::size_t kTokenOctets = 16;
constexpr std::size_t kMostRivals = 8;      ///< notices looked at by one claim: others may take the first ones
constexpr std::size_t kMostDropped = 1000;  ///< by one claim
constexpr std::size_t kPurged = 100;
constexpr seconds kBeyondAttempt{10};   ///< a claim lasts so much longer than the attempt may
constexpr std::chrono::days kKept{30};  ///< after the certificate's end
constexpr std::size_t kMostProblem = 200;

/// A front end's notices are what it takes from the others: whoever claims one and sends nothing has silenced it for a while.
Status check_sender(const Session& session) {
  for (const auto& one : session.snapshot().server.front_ends) {
    if (one.name == session.opened_as().front_end && one.sends_notices() && one.enabled) return {};
  }
  return Error(Code::Denied,
               "notices are claimed by the front end that runs chancery-notify, this session is of " + session.opened_as().name);
}

Json describe(const store::Notice& notice) {
  auto row = Json::object({{"id", notice.id},
                           {"state", notice.state},
                           {"channel", notice.channel},
                           {"recipient", notice.recipient},
                           {"ahead", notice.ahead},
                           {"not_after", base::to_rfc3339(notice.not_after)},
                           {"attempts", notice.attempts},
                           {"at", base::to_rfc3339(notice.turn)}});
  row.set(is_reminder(notice) ? "request" : "serial", notice.serial);
  if (!notice.problem.empty()) row.set("problem", notice.problem);
  return row;
}

/// What the sender is told: all that it may write, nothing that it could do more with.
Json describe_claim(const store::Notice& notice, const std::string& token, const store::CertificateRecord& record, Seconds now) {
  return Json::object({{"id", notice.id},
                       {"token", token},
                       {"channel", notice.channel},
                       {"recipient", notice.recipient},
                       {"ahead", notice.ahead},
                       {"attempt", notice.attempts + 1},
                       {"serial", notice.serial},
                       {"subject", record.subject},
                       {"cn", record.cn.empty() && !record.sans.empty() ? record.sans.front() : record.cn},
                       {"names", Json::strings(record.sans)},
                       {"profile", record.profile},
                       {"requester", record.requester},
                       {"not_before", base::to_rfc3339(record.not_before)},
                       {"not_after", base::to_rfc3339(record.not_after)},
                       {"seconds_left", static_cast<std::int64_t>((record.not_after - now).count())}});
}

/// The same of a request that waits.
Result<Json> describe_reminder(Session& session, const store::Notice& notice, const std::string& token, Seconds now) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto row, store->request(notice.serial));
  PKI_TRY(const auto history, store->request_history(row.id));
  const auto approved = realm::approvals_in(history, row.digest).size();
  return Json::object({{"id", notice.id},
                       {"token", token},
                       {"event", "request.waits"},
                       {"channel", notice.channel},
                       {"recipient", notice.recipient},
                       {"ahead", notice.ahead},
                       {"attempt", notice.attempts + 1},
                       {"request", row.id},
                       {"kind", row.kind},
                       {"profile", row.profile},
                       {"subject", base::join(realm::values_in(row.content, "subject"), "")},
                       {"names", Json::strings(realm::values_in(row.content, "name"))},
                       {"requester", row.requester},
                       {"digest", row.digest},
                       {"approvals", static_cast<std::int64_t>(approved)},
                       {"approvals_needed", approvals_needed(session, row)},
                       {"approval_roles", Json::strings(approval_roles(session, row))},
                       {"created_at", base::to_rfc3339(row.created_at)},
                       {"expires_at", base::to_rfc3339(row.expires_at)},
                       {"seconds_waited", static_cast<std::int64_t>((now - row.created_at).count())}});
}

/// The same of a self-audit's.
Json describe_audit_claim(const store::Notice& notice, const std::string& token, const Json& night) {
  auto out = Json::object({{"id", notice.id},
                           {"token", token},
                           {"channel", notice.channel},
                           {"recipient", notice.recipient},
                           {"attempt", notice.attempts + 1},
                           {"event", kAuditEvent}});
  for (const auto* name : {"started", "finished", "certificates", "findings", "first"}) {
    if (const auto* value = night.find(name)) out.set(name, *value);
  }
  return out;
}

/// Whether the ways and addressees of today's configuration still have it.
bool is_configured(const config::NoticesConfig& notices, const store::Notice& notice) {
  if (notice.channel == "webhook") return std::ranges::count(notices.webhooks, notice.recipient) != 0;
  return notice.channel == "mail" ? !notices.mail_server.empty() : !notices.program.empty();
}

struct About {
  std::optional<store::CertificateRecord> record{};  ///< there, unless it is dropped
  std::string dropped{};                             ///< why nobody has to be told any more; empty: somebody has to
};

/// What a notice is about: a self-audit, a request, a CA of the realm, or what one issued.
Result<About> about(Session& session, store::Store& store, const store::Notice& notice, Seconds now) {
  if (is_of_self_audit(notice)) {
    PKI_TRY(const auto last, last_self_audit(store));
    return About{.dropped = why_audit_notice_dropped(notice, last.first, now)};
  }
  if (is_reminder(notice)) {
    PKI_TRY(auto why, why_dropped(store, notice, now));
    return About{.dropped = std::move(why)};
  }
  PKI_TRY(auto ca, told_ca(session, notice));
  if (ca) {
    PKI_TRY(auto why, why_ca_dropped(session, notice, now));
    return About{.record = std::move(ca), .dropped = std::move(why)};
  }
  PKI_TRY(auto why, why_dropped(store, notice, now));
  if (!why.empty()) return About{.dropped = std::move(why)};
  PKI_TRY(const auto serial, Serial::from_hex(notice.serial));
  PKI_TRY(auto record, store.certificate(serial, notice.ca));
  return About{.record = std::move(record)};
}

/// @return the first that is due and needed, claimed; null: there is none.
Result<Json> claim(Session& session, store::Store& store, Seconds now) {
  const auto& notices = session.realm().notices;
  const auto until = now + notices.timeout + kBeyondAttempt;
  for (std::size_t looked = 0; looked < kMostDropped; looked += kMostRivals) {
    PKI_TRY(const auto due, store.due_notices(now, kMostRivals));
    for (const auto& notice : due) {
      PKI_TRY(const auto what, is_configured(notices, notice)
                                   ? about(session, store, notice, now)
                                   : Result<About>(About{.dropped = "the realm has no such way any more"}));
      if (!what.dropped.empty()) {
        PKI_TRY([[maybe_unused]] const bool dropped,
                store.finish_notice({notice.id, notice.token, store::kNoticeDropped, now, what.dropped}));
        continue;
      }
      const auto token = base::to_hex(base::random_bytes(kTokenOctets));
      PKI_TRY(const bool mine, store.claim_notice(notice, token, until));
      if (!mine) continue;
      if (is_reminder(notice)) return describe_reminder(session, notice, token, now);
      if (is_of_self_audit(notice)) {
        PKI_TRY(const auto last, last_self_audit(store));
        return describe_audit_claim(notice, token, last.second);
      }
      return describe_claim(notice, token, *what.record, now);
    }
    if (due.size() < kMostRivals) break;
  }
  return Json();
}

Result<store::Notice> find_claimed(store::Store& store, const std::string& id, const std::string& token) {
  PKI_TRY(const auto found, store.notice(id));
  if (!found) return Error(Code::NotFound, "no notice " + id);
  if (found->token == token && found->state == store::kNoticeWaiting) return *found;
  return Error(Code::Conflict, "the claim on notice " + id + " is over: it lasted too long, or another has the notice now");
}

}  // namespace

Result<Json> notice_claim(Session& session, const Params& /*params*/) {
  PKI_TRY_VOID(check_sender(session));
  const auto& notices = session.realm().notices;
  if (notices.before.empty() && session.realm().requests.remind.empty()) return Json::object();
  PKI_TRY(auto* store, session.store());
  const auto now = session.clock().now();
  PKI_TRY_VOID(plan_notices(*store, notices, now));
  PKI_TRY_VOID(plan_ca_notices(session, *store, now));
  PKI_TRY_VOID(store->purge_notices(now - kKept, kPurged));
  PKI_TRY(auto claimed, claim(session, *store, now));
  return claimed.is_null() ? Json::object() : Json::object({{"notice", std::move(claimed)}});
}

Result<Json> notice_finish(Session& session, const Params& params) {
  PKI_TRY_VOID(check_sender(session));
  PKI_TRY(auto* store, session.store());
  const auto id = params.text("id");
  const auto token = params.text("token");
  PKI_TRY(const auto notice, find_claimed(*store, id, token));
  const auto now = session.clock().now();
  const bool sent = params.boolean("sent");
  const auto turn = sent ? now : now + pause_after(notice.attempts);
  const auto problem = params.text("problem").substr(0, kMostProblem);
  PKI_TRY(const bool finished,
          store->finish_notice({id, token, sent ? store::kNoticeSent : store::kNoticeWaiting, turn, sent ? "" : problem}));
  if (!finished) return Error(Code::Conflict, "the claim on notice " + id + " is over");
  if (sent) base::log_info("notice " + id + " of " + notice.serial + " sent by " + notice.channel);
  auto out = Json::object({{"state", sent ? store::kNoticeSent : store::kNoticeWaiting}});
  if (!sent) out.set("again_at", base::to_rfc3339(turn));
  return out;
}

Result<Json> notice_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto limit = std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1);
  PKI_TRY(const auto page, store->notices(static_cast<std::size_t>(limit), params.text("after")));
  Json rows = Json::array();
  for (const auto& one : page.items) rows.push_back(describe(one));
  auto out = Json::object({{"notices", std::move(rows)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

}  // namespace chancery::worker
