#include "server/worker/request_upkeep.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/worker/audit.h"
#include "server/worker/notice_plan.h"
#include "server/worker/request_work.h"
#include "server/worker/retention.h"
#include "server/worker/rules_gate.h"

namespace chancery::worker {
namespace {

using realm::RequestState;

constexpr std::size_t kAtOnce = 100;

/// The next ones of a state, round and round where there are more than one page of them.
Result<std::vector<store::RequestRow>> next_of(store::Store& store, RequestState state, Seconds made_before) {
  const auto cursor = "requests-" + std::string(realm::to_text(state));
  PKI_TRY(const auto kept, store.get_meta(cursor));
  const auto after = kept.value_or(std::string());
  PKI_TRY(auto page, store.requests_by_age(state, made_before, kAtOnce, after));
  if (page.next != after) PKI_TRY_VOID(store.set_meta(cursor, page.next));
  return std::move(page.items);
}

Status expire(Session& session, store::Store& store) {
  PKI_TRY(const auto ids, store.ended_requests(session.clock().now(), kAtOnce));
  for (const auto& id : ids) {
    const auto request = load_request(session, id);
    if (!request.ok()) base::log_warning("request " + id + " does not expire: " + request.error().message());
  }
  return {};
}

/// What keeps one of them back says why to whoever picks it up; it does not keep the others back.
Status settle_all(Session& session, store::Store& store) {
  PKI_TRY(const auto rows, next_of(store, RequestState::Processing, session.clock().now()));
  for (const auto& row : rows) {
    auto request = load_request(session, row.id);
    const auto settled = request.ok() ? settle(session, *request) : Status(request.error());
    if (!settled.ok()) base::log_debug("request " + row.id + " is not brought to an end: " + settled.error().message());
  }
  return {};
}

/// How long a request has waited, as the realm counts it; none: not so long that anybody is told.
std::optional<std::chrono::seconds> age_to_tell(const config::RequestsConfig& requests, const store::RequestRow& row,
                                                Seconds now) {
  std::optional<std::chrono::seconds> age;
  for (const auto one : requests.remind) {
    if (row.created_at + one <= now && (!age || one > *age)) age = one;
  }
  return age;
}

Status remind(Session& session, store::Store& store) {
  const auto& requests = session.realm().requests;
  if (requests.remind.empty()) return {};
  const auto now = session.clock().now();
  PKI_TRY(const auto rows, next_of(store, RequestState::Pending, now - *std::ranges::min_element(requests.remind)));
  for (const auto& row : rows) {
    const auto age = age_to_tell(requests, row, now);
    if (!age || now >= row.expires_at) continue;
    std::vector<store::Notice> missing;
    for (auto& one : reminders_for(session.realm(), row, *age, now)) {
      PKI_TRY(const auto known, store.notice(one.id));
      if (!known) missing.push_back(std::move(one));
    }
    if (!missing.empty()) PKI_TRY_VOID(store.add_notices(missing));
  }
  return {};
}

/// The audit stream keeps what approvals were given for, and the last link of the chain that says who gave them.
Status purge_one(Session& session, store::Store& store, const std::string& id) {
  PKI_TRY(const auto request, store.request(id));
  PKI_TRY(const auto history, store.request_history(id));
  PKI_TRY_VOID(audit_deed(session, "request.purge",
                          Json::object({{"request", id},
                                        {"kind", request.kind},
                                        {"state", request.state},
                                        {"digest", request.digest},
                                        {"chain", history.empty() ? std::string() : history.back().chain}})));
  return store.purge_request(request);
}

Status purge(Session& session, store::Store& store) {
  const auto keep = session.realm().requests.keep;
  if (keep.count() == 0) return {};
  PKI_TRY(const bool believed, may_forget(store, session.clock().now()));
  if (!believed) return {};
  PKI_TRY(const auto ids, store.finished_requests(session.clock().now() - keep, kAtOnce));
  PKI_TRY(const auto rules, store.get_meta(kRulesApproved));
  for (const auto& id : ids) {
    if (rules == id) continue;  // a reload still asks for it
    const auto purged = purge_one(session, store, id);
    const bool is_late = !purged.ok() && (purged.error().code() == Code::Conflict || purged.error().code() == Code::NotFound);
    if (!purged.ok() && !is_late) return purged;
  }
  return {};
}

}  // namespace

Status look_after_requests(Session& session) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(expire(session, *store));
  PKI_TRY_VOID(settle_all(session, *store));
  PKI_TRY_VOID(remind(session, *store));
  return purge(session, *store);
}

}  // namespace chancery::worker
