#include <algorithm>

#include "server/base/log.h"
#include "server/worker/audit.h"
#include "server/worker/audit_notices.h"
#include "server/worker/self_audit.h"

/// When the realm audits itself: at its time of day, step by step, so much each night. One fact of the store says how far it is;
/// every change of it is compare-and-set, so that of several servers one does a step, and who is killed leaves it to another.
namespace chancery::worker {
namespace {

constexpr const char* kFact = "self_audit";
constexpr std::chrono::milliseconds kStep{1500};
constexpr std::chrono::minutes kLease{2};  ///< of one step; more than any takes
constexpr std::size_t kKept = 20;          ///< findings that are shown; the log has all

/// What a night found.
struct Night {
  std::int64_t started = 0;
  std::int64_t finished = 0;  ///< 0: it is under way
  std::int64_t certificates = 0;
  std::int64_t findings = 0;
  bool all = false;  ///< whether the last certificate was reached
  Json first = Json::array();
};

Json to_json(const Night& night) {
  return Json::object({{"started", night.started},
                       {"finished", night.finished},
                       {"certificates", night.certificates},
                       {"findings", night.findings},
                       {"all", night.all},
                       {"first", night.first}});
}

Night night_from(const Json* json) {
  if (json == nullptr || !json->is_object()) return {};
  Night night{.started = json->integer("started"),
              .finished = json->integer("finished"),
              .certificates = json->integer("certificates"),
              .findings = json->integer("findings"),
              .all = json->boolean("all")};
  if (const auto* first = json->find("first"); first != nullptr && first->is_array()) night.first = *first;
  return night;
}

struct State {
  std::int64_t seen = 0;  ///< the time of day that was seen to last
  std::int64_t lease = 0;
  std::string token;      ///< of the lease
  std::string place;      ///< of the next step; empty: no night is under way
  std::int64_t told = 0;  ///< when the last night began whose findings the operators are told of
  std::string left_at;    ///< where the certificates of the next night begin
  Night now, last;
};

std::string to_text(const State& state) {
  return wire::to_text(Json::object({{"seen", state.seen},
                                     {"lease", state.lease},
                                     {"token", state.token},
                                     {"place", state.place},
                                     {"told", state.told},
                                     {"left_at", state.left_at},
                                     {"now", to_json(state.now)},
                                     {"last", to_json(state.last)}}));
}

Result<State> state_from(const std::optional<std::string>& text) {
  if (!text) return State{};
  PKI_TRY(const auto json, wire::parse_json(*text));
  return State{.seen = json.integer("seen"),
               .lease = json.integer("lease"),
               .token = json.text("token"),
               .place = json.text("place"),
               .told = json.integer("told"),
               .left_at = json.text("left_at"),
               .now = night_from(json.find("now")),
               .last = night_from(json.find("last"))};
}

Json describe(const Night& night) {
  auto out = Json::object(
      {{"certificates", night.certificates}, {"findings", night.findings}, {"all", night.all}, {"first", night.first}});
  if (night.started > 0) out.set("started", base::to_rfc3339(base::from_epoch(night.started)));
  if (night.finished > 0) out.set("finished", base::to_rfc3339(base::from_epoch(night.finished)));
  return out;
}

Json describe(const State& state) {
  auto out = Json::object({{"running", !state.place.empty()}});
  if (!state.place.empty()) out.set("now", describe(state.now));
  if (state.last.finished > 0) out.set("last", describe(state.last));
  return out;
}

constexpr std::string_view kCertificates = "certificates:";

void take_in(State& state, const AuditStep& step, const AuditPlace& next) {
  for (const auto& one : step.findings()) {
    base::log_error("self-audit, " + one.part + ": " + one.about + ": " + one.fault);
    if (state.now.first.as_array()->size() < kKept)
      state.now.first.push_back(Json::object({{"part", one.part}, {"about", one.about}, {"fault", one.fault}}));
  }
  state.now.findings += static_cast<std::int64_t>(step.findings().size());
  state.now.certificates += step.certificates();
  state.place = worker::to_text(next);
}

/// Durable before the state says that the night is over: killed in between, it is recorded twice rather than never.
Status finish(Session& session, State& state, Seconds now) {
  state.now.all = state.place.empty();
  // The certificates of the next night begin where these ended.
  state.left_at = state.now.all ? std::string() : state.place.substr(kCertificates.size());
  state.place.clear();
  state.now.finished = base::to_epoch(now);
  state.last = std::exchange(state.now, {});
  const auto about = Json::object({{"certificates", state.last.certificates}, {"findings", state.last.findings}});
  PKI_TRY_VOID(audit_result(session, "audit.self", about,
                            state.last.findings == 0 ? "ok" : "findings: " + wire::to_text(state.last.first)));
  const auto line = "self-audit: " + std::to_string(state.last.certificates) + " certificates, " +
                    std::to_string(state.last.findings) + " findings";
  if (state.last.findings == 0) {
    base::log_info(line);
  } else {
    base::log_error(line + "; audit.status shows them");
  }
  return {};
}

/// @return whether the night is to begin. Of a realm that has seen none, the next time counts, not the last.
bool begin_if_due(State& state, const config::SelfAuditConfig& config, Seconds now) {
  const auto due = base::to_epoch(last_time_of_day(config.at, now));
  const bool is_first = state.seen == 0;
  if (due <= state.seen) return false;
  state.seen = due;
  if (is_first) return false;
  state.now = {.started = base::to_epoch(now)};
  state.place = "files:";
  return true;
}

/// Notices come once the fact says what the night found, which they are made of.
bool is_untold(const State& state) { return state.last.findings > 0 && state.told != state.last.started; }

Json with_more(Json status, bool more) {
  status.set("more", more);
  return status;
}

}  // namespace

Seconds last_time_of_day(std::string_view at, Seconds now) {
  const auto digit = [&](std::size_t i) { return at.at(i) - '0'; };
  const std::chrono::seconds offset =
      std::chrono::hours(digit(0) * 10 + digit(1)) + std::chrono::minutes(digit(3) * 10 + digit(4));
  const auto today = std::chrono::floor<std::chrono::days>(now) + offset;
  return today <= now ? today : today - std::chrono::days(1);
}

Result<Json> self_audit_status(Session& session) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto text, store->get_meta(kFact));
  PKI_TRY(const auto state, state_from(text));
  return describe(state);
}

Result<std::pair<std::int64_t, Json>> last_self_audit(store::Store& store) {
  PKI_TRY(const auto text, store.get_meta(kFact));
  PKI_TRY(const auto state, state_from(text));
  return std::pair(state.last.started, describe(state.last));
}

Result<Json> run_self_audit_if_due(Session& session) {
  const auto& config = session.realm().self_audit;
  PKI_TRY(auto* store, session.store());
  const auto now = session.clock().now();
  PKI_TRY(const auto text, store->get_meta(kFact));
  PKI_TRY(auto state, state_from(text));
  if (is_untold(state)) {
    PKI_TRY_VOID(add_audit_notices(*store, session.realm().notices, state.last.started, now));
    state.told = state.last.started;
    PKI_TRY([[maybe_unused]] const bool noted, store->replace_meta(kFact, text, to_text(state)));
    return with_more(describe(state), true);
  }
  const bool is_under_way = !state.place.empty();
  if (is_under_way && state.lease > base::to_epoch(now)) return with_more(describe(state), false);  // another is at it
  const auto seen_before = state.seen;
  if (!is_under_way && (config.at.empty() || !begin_if_due(state, config, now))) {
    if (state.seen != seen_before) {
      PKI_TRY([[maybe_unused]] const bool noted, store->replace_meta(kFact, text, to_text(state)));
    }
    return with_more(describe(state), false);
  }
  state.lease = base::to_epoch(now + kLease);
  state.token = base::to_hex(base::random_bytes(8));
  const auto claimed = to_text(state);
  PKI_TRY(const bool mine, store->replace_meta(kFact, text, claimed));
  if (!mine) return with_more(describe(state), false);
  PKI_TRY(const auto place, audit_place_from(state.place));
  AuditStep step(session, *store, kStep);
  step.begin_certificates_behind(state.left_at);
  const auto left = std::max<std::int64_t>(config.certificates - state.now.certificates, 1);
  PKI_TRY(const auto next, step.run(place, left));
  take_in(state, step, next);
  state.lease = 0;
  if (is_end(next) || state.now.certificates >= config.certificates) PKI_TRY_VOID(finish(session, state, session.clock().now()));
  PKI_TRY(const bool kept, store->replace_meta(kFact, claimed, to_text(state)));
  return with_more(describe(state), kept && (!state.place.empty() || is_untold(state)));
}

}  // namespace chancery::worker
