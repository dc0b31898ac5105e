#include <charconv>
#include <chrono>

#include "server/base/log.h"
#include "server/worker/handlers.h"
#include "server/worker/journal_states.h"
#include "server/worker/reconcile.h"
#include "server/worker/retention.h"
#include "server/worker/revocation.h"

/// realm.repair: the whole store against the whole journal, from its first record. What upkeep does step by step with what is
/// new, this does without believing how far the store says it has come: for a store that was restored, or that lost rows.
namespace chancery::worker {
namespace {

constexpr std::size_t kPage = 500;
// Of one step: well within what clients wait, and a reply well below the longest line.
constexpr std::chrono::seconds kStep{2};
constexpr std::size_t kMostFindings = 2000;
/// The last part, after all certificates.
constexpr std::string_view kStates = "states";

struct Findings {
  Json missing = Json::array();
  Json states = Json::array();
  Json damaged = Json::array();
  std::int64_t compared = 0;
  std::size_t count() const { return missing.as_array()->size() + states.as_array()->size() + damaged.as_array()->size(); }
};

/// How long a step may still go on.
class Step {
 public:
  bool is_over(const Findings& findings) const {
    return std::chrono::steady_clock::now() - start_ >= kStep || findings.count() >= kMostFindings;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Where a step begins: at a place of the journal, or with the states.
struct Place {
  bool states = false;
  std::uint64_t position = 0;
};
Result<Place> place_from(const std::string& after) {
  if (after.empty()) return Place{};
  if (after == kStates) return Place{true, 0};
  Place place;
  const auto [end, failure] = std::from_chars(after.data(), after.data() + after.size(), place.position);
  if (failure == std::errc() && end == after.data() + after.size()) return place;
  return Error(Code::InvalidParams, "after: found \"" + after + "\", expected the `next` of the step before");
}

/// Every signed certificate is stored, octet for octet (incident I16).
/// @param purged  what ended until then may have left the store
Status compare_certificate(store::Store& store, const signer::JournalRecord& record, ImportedStates& states, Seconds purged,
                           bool apply, Findings& findings) {
  PKI_TRY(const auto number, serial_of(record));
  const auto serial = number.hex();
  const auto known = store.certificate(number);
  if (known.ok()) {
    if (known->der != record.certificate) {
      findings.damaged.push_back(
          Json::object({{"serial", serial}, {"fault", "the stored certificate is not the one that was signed"}}));
    }
    return {};
  }
  if (known.error().code() != Code::NotFound) {
    findings.damaged.push_back(Json::object({{"serial", serial}, {"fault", known.error().message()}}));
    return {};
  }
  if (record_end(record) <= purged) return {};  // its time in the store is over
  findings.missing.push_back(serial);
  if (!apply) return {};
  PKI_TRY([[maybe_unused]] const auto stored, store_if_missing(store, record, states));
  return {};
}

/// @return where the next step begins.
Result<Place> compare_certificates(Session& session, store::Store& store, bool apply, Place place, const Step& step,
                                   Findings& findings) {
  ImportedStates states(session);
  PKI_TRY(const auto purged, purged_until(store, session.clock().now()));
  while (!place.states && !step.is_over(findings)) {
    PKI_TRY(auto* signer, session.signer());
    PKI_TRY(const auto page, signer->journal_since(place.position, kPage));
    for (const auto& record : page.records) {
      if (!may_be_in_hand(session, record)) PKI_TRY_VOID(compare_certificate(store, record, states, purged, apply, findings));
    }
    findings.compared += static_cast<std::int64_t>(page.records.size());
    place = {page.next_position == place.position, page.next_position};
  }
  return place;
}

Status compare_states(Session& session, store::Store& store, bool apply, Findings& findings) {
  PKI_TRY(const auto last, last_changes(session));
  for (const auto& [serial, change] : last) {
    const auto record = store.certificate(serial);
    if (!record.ok()) continue;  // missing: named above, and mended by a second run when this one does not apply
    const auto wanted = state_after(change);
    if (record->state == wanted) continue;
    findings.states.push_back(
        Json::object({{"serial", serial.hex()}, {"found", to_text(record->state)}, {"expected", to_text(wanted)}}));
    if (apply) PKI_TRY_VOID(repeat(store, change));
  }
  return {};
}

}  // namespace

Result<Json> realm_repair(Session& session, const Params& params) {
  const bool apply = params.boolean("apply");
  PKI_TRY(auto place, place_from(params.text("after")));
  PKI_TRY(auto* store, session.store());
  Findings findings;
  const Step step;
  PKI_TRY(place, compare_certificates(session, *store, apply, place, step, findings));
  const bool is_last = place.states && !step.is_over(findings);
  if (is_last) PKI_TRY_VOID(compare_states(session, *store, apply, findings));
  const auto count = findings.missing.as_array()->size() + findings.states.as_array()->size();
  if (count > 0) {
    base::log_warning("the store is older than the journal: " + std::to_string(count) + " certificates " +
                      (apply ? "mended" : "lack their row or their state"));
  }
  auto answer = Json::object({{"missing", std::move(findings.missing)},
                              {"states", std::move(findings.states)},
                              {"damaged", std::move(findings.damaged)},
                              {"applied", apply},
                              {"compared", findings.compared}});
  if (!is_last) answer.set("next", place.states ? std::string(kStates) : std::to_string(place.position));
  return answer;
}

}  // namespace chancery::worker
