#include "server/store/policy_records.h"

#include "server/base/text.h"
#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// What the realm's policy counts and refuses. How many certificates there are is counted where one more is taken: in one
/// transaction, so that of many who ask at once as many get one as the rule says.
namespace chancery::store {
namespace {

std::string what_of(const LivingReservation::Limit& limit) {
  // As certificates_living_by_subject compares.
  return limit.of_subject ? "subject " + base::to_lower_ascii(limit.whose) : "requester " + limit.whose;
}

constexpr std::string_view kLast = "~";  // behind every id, which is hex

}  // namespace

Result<int> Store::count_room_taken(const LivingReservation& wanted, const LivingReservation::Limit& limit) {
  int taken = 0;
  if (limit.counts_living) {
    auto living = wanted.living;
    living.most = limit.most;
    PKI_TRY(taken, count_living(limit.of_subject ? "certificates_living_by_subject" : "certificates_living_by_requester",
                                {limit.of_subject ? "subject" : "requester", limit.whose}, living));
  }
  PKI_TRY(const auto others, times("policy_reservation_latest", {{"what", what_of(limit)},
                                                                 {"since", wanted.alive_since},
                                                                 {"limit", number(static_cast<std::size_t>(limit.most))}}));
  return taken + static_cast<int>(others.size());
}

Result<bool> Store::reserve_living(const LivingReservation& wanted) {
  return transact(*driver_, Access::Write, [&]() -> Result<bool> {
    PKI_TRY_VOID(drop_living_reservation(wanted.id));
    for (const auto& limit : wanted.limits) {
      PKI_TRY(const int taken, count_room_taken(wanted, limit));
      if (taken >= limit.most) return false;
    }
    for (const auto& limit : wanted.limits) {
      PKI_TRY([[maybe_unused]] const auto put,
              run("policy_reservation_insert", {{"what", what_of(limit)}, {"at", wanted.at}, {"id", wanted.id}}));
    }
    return true;
  });
}

Status Store::drop_living_reservation(const std::string& id) {
  PKI_TRY([[maybe_unused]] const auto gone, run("policy_reservation_delete", {{"id", id}}));
  return {};
}

Status Store::release_living(const std::string& id) {
  return transact(*driver_, Access::Write, [&]() -> Status { return drop_living_reservation(id); });
}

Status Store::purge_policy_records(Seconds lapsed_before, Seconds refused_before, std::size_t limit) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto lapsed, run("policy_reservation_lapsed", {{"before", lapsed_before}, {"limit", number(limit)}}));
    for (std::size_t i = 0; i < lapsed.rows.size(); ++i) {
      Row row(lapsed, i);
      const auto id = row.text("id");
      PKI_TRY_VOID(row.status());
      PKI_TRY_VOID(drop_living_reservation(id));
    }
    return forget_refused(refused_before, limit);
  });
}

Status Store::forget_refused(Seconds before, std::size_t limit) {
  PKI_TRY(const auto older, run("refused_request_older", {{"before", before}, {"limit", number(limit)}}));
  for (std::size_t i = 0; i < older.rows.size(); ++i) {
    Row row(older, i);
    const auto id = row.text("id");
    PKI_TRY_VOID(row.status());
    PKI_TRY([[maybe_unused]] const auto gone, run("refused_request_delete", {{"id", id}}));
  }
  return {};
}

Status Store::add_refused_request(const RefusedRequest& request) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto put,
            run("refused_request_put",
                {{"id", request.id}, {"at", request.last_at}, {"content", request.content}, {"why", request.why}}));
    return {};
  });
}

Status Store::keep_refused_requests(std::size_t most, std::size_t at_once) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto newest, run("refused_request_newest", {{"limit", number(most + at_once)}}));
    for (std::size_t i = most; i < newest.rows.size(); ++i) {
      Row row(newest, i);
      const auto id = row.text("id");
      PKI_TRY_VOID(row.status());
      PKI_TRY([[maybe_unused]] const auto gone, run("refused_request_delete", {{"id", id}}));
    }
    return {};
  });
}

Result<std::vector<RefusedRequest>> Store::refused_requests(Seconds since, const std::optional<RefusedRequest>& after,
                                                            std::size_t limit) {
  return transact(*driver_, Access::Read, [&]() -> Result<std::vector<RefusedRequest>> {
    constexpr Seconds kEver = Seconds(std::chrono::seconds(253402300799));  // the last of year 9999
    PKI_TRY(const auto out, run("refused_request_page", {{"since", since},
                                                         {"before", after ? after->last_at : kEver},
                                                         {"before_id", after ? after->id : std::string(kLast)},
                                                         {"limit", number(limit)}}));
    std::vector<RefusedRequest> requests;
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      Row row(out, i);
      requests.push_back({.id = row.text("id"),
                          .last_at = row.time("last_at"),
                          .first_at = row.time("first_at"),
                          .times = row.integer("times"),
                          .content = row.text("content"),
                          .why = row.text("why")});
      PKI_TRY_VOID(row.status());
    }
    return requests;
  });
}

}  // namespace chancery::store
