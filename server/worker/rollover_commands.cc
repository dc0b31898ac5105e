#include <algorithm>
#include <limits>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/handlers.h"
#include "server/worker/rollover_commands.h"
#include "server/worker/rollover_steps.h"

/// A CA's next generation, step by step (realm/rollover.h).
namespace chancery::worker {
namespace {

using realm::GenerationState;
using realm::RolloverState;
using realm::RolloverStep;

constexpr std::size_t kMostCounted = 200'000;  ///< of certificates, for the progress

std::string ca_of(const Params& params) { return params.text("ca", config::kFirstCa); }

Error no_rollover(const std::string& ca) {
  return {Code::NotFound, "CA " + ca + " was never rolled over", "ca.rollover.start begins it"};
}

/// What is to be retired: the oldest that drains and has nothing left, else the oldest that drains.
Result<const store::CaRollover*> oldest_to_retire(Session& session, const std::vector<store::CaRollover>& rows) {
  const store::CaRollover* oldest = nullptr;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (!realm::next_row(state_of(*row), RolloverStep::Retire).ok()) continue;
    PKI_TRY(const auto until, drains_until(session, row->old_label));
    if (!until) return &*row;
    if (oldest == nullptr) oldest = &*row;
  }
  return oldest;
}

/// The rollover that a step is for: the one named, else the newest; what is to be retired, the oldest that drains.
Result<store::CaRollover> find_rollover(Session& session, const Params& params, std::optional<RolloverStep> step) {
  const auto ca = ca_of(params);
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto rows, store->ca_rollovers(ca));
  const auto wanted = params.text("generation");
  if (!wanted.empty()) {
    const auto found = std::ranges::find(rows, wanted, &store::CaRollover::new_label);
    if (found == rows.end()) return Error(Code::NotFound, "no rollover to \"" + base::printable(wanted, 80) + "\" of CA " + ca);
    return *found;
  }
  if (rows.empty()) return no_rollover(ca);
  if (step == RolloverStep::Retire) {
    PKI_TRY(const auto* oldest, oldest_to_retire(session, rows));
    if (oldest != nullptr) return *oldest;
  }
  return rows.front();
}

// ----- what it waits for

struct Wait {
  std::string what;  ///< empty: for nothing
  std::optional<Seconds> until{};
};

Wait for_its_certificate(const realm::Generation& fresh) {
  return {"the certificate of " + fresh.label + ", by an outside CA: ca.request --ca " + fresh.label +
          " gives its request, ca.import --ca " + fresh.label + " brings what that makes of it"};
}

/// Of a first generation nobody has certificates that have to go on being trusted meanwhile.
Wait for_its_readers(Session& session, const store::CaRollover& row, const realm::Generation& fresh) {
  auto until = fresh.authority->certificate.not_before();
  if (!row.old_label.empty()) until = std::max(until, row.changed_at + session.realm().rollover.publish_for);
  if (session.clock().now() >= until) return {};
  return {"everybody to have fetched the certificates of " + row.new_label + " before it issues (rollover.publish_for)", until};
}

Result<Wait> for_the_old_one(Session& session, const store::CaRollover& row) {
  PKI_TRY(const auto until, drains_until(session, row.old_label));
  if (!until) return Wait();
  return Wait{"the last certificate of " + row.old_label + " to expire", until};
}

Result<Wait> wait_of(Session& session, const store::CaRollover& row) {
  const auto state = state_of(row);
  if (state == RolloverState::Draining) return for_the_old_one(session, row);
  if (state != RolloverState::Prepared && state != RolloverState::Published) return Wait();
  const auto fresh = session.generation(row.new_label);
  if (!fresh.ok()) return Wait();  // the step itself asks the signer
  if (!(*fresh)->authority) return for_its_certificate(**fresh);
  return state == RolloverState::Published ? for_its_readers(session, row, **fresh) : Wait();
}

// ----- what is said of it

store::LivingOfCa living_of(const store::LivingByCa& living, const std::string& label) {
  const auto found = living.of.find(label);
  return found == living.of.end() ? store::LivingOfCa() : found->second;
}

/// kRollover's fields.
Result<Json> show(Session& session, const store::CaRollover& row) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto living, store->living_by_ca(session.clock().now(), kMostCounted));
  const auto generation = session.generation(row.new_label);
  const auto before = living_of(living, row.old_label);
  const auto after = living_of(living, row.new_label);
  const auto both = before.count + after.count;
  constexpr std::int64_t kWhole = 100;
  auto out = Json::object({{"ca", row.ca},
                           {"state", row.state},
                           {"possible", realm::steps_from(state_of(row))},
                           {"old", row.old_label},
                           {"new", row.new_label},
                           {"waits", !generation.ok() || !(*generation)->authority},
                           {"living_old", before.count},
                           {"living_new", after.count},
                           {"percent_old", both == 0 ? std::int64_t{0} : (kWhole * before.count + both - 1) / both},
                           {"counted_all", living.is_whole},
                           {"changed_by", row.changed_by},
                           {"changed_at", base::to_rfc3339(row.changed_at)}});
  if (before.last_end != Seconds{}) out.set("old_ends", base::to_rfc3339(before.last_end));
  PKI_TRY(const auto wait, wait_of(session, row));
  if (!wait.what.empty()) out.set("waits_for", wait.what);
  if (wait.until) out.set("waits_until", base::to_rfc3339(*wait.until));
  return out;
}

Result<Json> take(Session& session, const Params& params, RolloverStep step) {
  PKI_TRY(auto row, find_rollover(session, params, step));
  PKI_TRY_VOID(take_step(session, row, step));
  return show(session, row);
}

/// Who certifies the next generation when nobody says so: whoever did before.
std::string source_for(const Session& session, const std::string& ca, const realm::Generation* before) {
  const auto row = session.realm().cas.find(ca);
  if (row != session.realm().cas.end() && !row->second.issuer.empty()) return "root";
  if (before == nullptr || !before->authority) return "self";
  return before->authority->above.empty() ? "self" : "request";
}

/// The newest generation of a CA, whatever its state; null: there is none.
const realm::Generation* newest(const std::vector<realm::Generation>& all, const std::string& ca, bool issues) {
  const realm::Generation* found = nullptr;
  for (const auto& one : all) {
    const bool counts = one.name() == ca && (!issues || realm::may_issue(one.state));
    if (counts && (found == nullptr || one.number() > found->number())) found = &one;
  }
  return found;
}

/// What a request is for is not done without one. Retiring takes nothing that anybody still needs, and what is begun was
/// approved.
Status check_needs_no_request(const Session& session) {
  const auto needed = session.realm().requests.rollover_approvals;
  if (needed == 0) return {};
  return Error(Code::PolicyRefused,
               "a step of a rollover needs " + std::to_string(needed) + " approvals in this realm, found none",
               "chancery request create --kind rollover asks for it, chancery request pickup has it done once it is approved");
}

/// The number of the next generation of a CA. A generation that was given up before its key was made leaves its number to nobody.
Result<realm::Label> label_after(const std::string& ca, const std::vector<realm::Generation>& all,
                                 const std::vector<store::CaRollover>& rows) {
  const auto* last = newest(all, ca, false);
  const auto used = std::max(last == nullptr ? std::int64_t{0} : std::int64_t{last->number()},
                             rows.empty() ? std::int64_t{0} : rows.front().generation);
  if (used >= std::numeric_limits<int>::max())
    return Error(Code::Conflict,
                 "CA " + ca + " has had generation " + std::to_string(used) + ", behind which there is no number");
  return realm::Label{ca, static_cast<int>(used + 1)};
}

Status check_is_ours(const Session& session, const std::string& ca) {
  const auto row = session.realm().cas.find(ca);
  if (row != session.realm().cas.end() && row->second.is_service())
    return Error(Code::PolicyRefused,
                 ca + " is a service of the realm (purpose: " + row->second.purpose + "), whose keys upkeep replaces",
                 "doc/services.md");
  if (ca == config::kFirstCa || row != session.realm().cas.end()) return {};
  return Error(Code::NotFound, "no CA \"" + base::printable(ca, 80) + "\" in this realm", "cas in ca.config.yml names them");
}

// ----- the next step, whichever it is

/// The step from a state at rest that leads on; none: it is at its end.
std::optional<RolloverStep> step_on(RolloverState state) {
  for (const auto& row : realm::rollover_rows()) {
    const bool leads_on = row.step != RolloverStep::Abort && row.step != RolloverStep::Start;
    if (leads_on && std::ranges::count(row.from, state) != 0) return row.step;
  }
  return std::nullopt;
}

/// A generation that is not there yet is begun where it is the next one, so that whoever asks twice has one made.
Status check_is_next(Session& session, const Params& params, const std::vector<store::CaRollover>& rows) {
  const auto ca = ca_of(params);
  PKI_TRY(const auto* all, session.generations());
  PKI_TRY(const auto label, label_after(ca, *all, rows));
  const auto wanted = params.text("generation");
  if (wanted.empty() || wanted == label.text()) return {};
  return Error(Code::NotFound, "no rollover to \"" + base::printable(wanted, 80) + "\" of CA " + ca,
               "the next generation is " + label.text());
}

Result<Json> start(Session& session, const Params& params) {
  const auto ca = ca_of(params);
  PKI_TRY_VOID(check_is_ours(session, ca));
  PKI_TRY(const auto* all, session.generations());
  const auto* issuing = newest(*all, ca, true);
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto rows, store->ca_rollovers(ca));
  const auto state = rows.empty() ? RolloverState::None : state_of(rows.front());
  PKI_TRY(const auto* next, realm::next_row(state, RolloverStep::Start));
  if (next->during == state) {
    PKI_TRY_VOID(complete_step(session, rows.front(), *next));
    return show(session, rows.front());
  }
  PKI_TRY_VOID(check_urls(session, ca, issuing == nullptr));
  PKI_TRY(const auto label, label_after(ca, *all, rows));
  const auto source = params.text("from", source_for(session, ca, issuing));
  // Before anything of it is stored; the signer sees to it, too.
  if (source != "request" && issuing != nullptr && issuing->authority)
    PKI_TRY_VOID(realm::check_may_certify_next(*issuing->authority));
  store::CaRollover row{.ca = ca,
                        .generation = label.number,
                        .state = {},
                        .old_label = issuing == nullptr ? std::string() : issuing->label,
                        .new_label = label.text(),
                        .source = source};
  PKI_TRY_VOID(put_rollover(session, row, next->during));
  PKI_TRY_VOID(complete_step(session, row, *next));
  return show(session, row);
}

Result<Json> take_by_oneself(Session& session, const Params& params, RolloverStep step) {
  PKI_TRY_VOID(check_needs_no_request(session));
  return take_rollover_step(session, params, step);
}

}  // namespace

Result<Json> take_rollover_step(Session& session, const Params& params, RolloverStep step) {
  return step == RolloverStep::Start ? start(session, params) : take(session, params, step);
}

Result<NextGeneration> next_generation(Session& session, const std::string& ca) {
  PKI_TRY_VOID(check_is_ours(session, ca));
  PKI_TRY(const auto* all, session.generations());
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto rows, store->ca_rollovers(ca));
  const auto source = source_for(session, ca, newest(*all, ca, true));
  if (!rows.empty() && state_of(rows.front()) == RolloverState::Preparing)
    return NextGeneration{rows.front().new_label, rows.front().source};
  PKI_TRY(const auto label, label_after(ca, *all, rows));
  return NextGeneration{label.text(), source};
}

Result<Json> ca_rollover_advance(Session& session, const Params& params) {
  PKI_TRY_VOID(session.refresh_generations());  // of which the store may know less than the signer
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto rows, store->ca_rollovers(ca_of(params)));
  const auto wanted = params.text("generation");
  const auto found = wanted.empty() ? rows.begin() : std::ranges::find(rows, wanted, &store::CaRollover::new_label);
  if (found == rows.end()) {
    PKI_TRY_VOID(check_is_next(session, params, rows));
    return take_by_oneself(session, params, RolloverStep::Start);
  }
  PKI_TRY(const auto wait, wait_of(session, *found));
  const auto state = state_of(*found);
  if (const auto* begun = realm::begun_row(state); begun != nullptr) {
    PKI_TRY_VOID(complete_step(session, *found, *begun));
  } else if (const auto step = step_on(state); step && wait.what.empty()) {
    if (*step != RolloverStep::Retire) PKI_TRY_VOID(check_needs_no_request(session));
    PKI_TRY_VOID(take_step(session, *found, *step));
  }
  return show(session, *found);
}

Result<Json> ca_rollover_start(Session& session, const Params& params) {
  return take_by_oneself(session, params, RolloverStep::Start);
}
Result<Json> ca_rollover_publish(Session& session, const Params& params) {
  return take_by_oneself(session, params, RolloverStep::Publish);
}
Result<Json> ca_rollover_switch(Session& session, const Params& params) {
  return take_by_oneself(session, params, RolloverStep::Switch);
}
Result<Json> ca_rollover_retire(Session& session, const Params& params) { return take(session, params, RolloverStep::Retire); }
Result<Json> ca_rollover_abort(Session& session, const Params& params) {
  return take_by_oneself(session, params, RolloverStep::Abort);
}

Result<Json> ca_rollover_resume(Session& session, const Params& params) {
  PKI_TRY(auto row, find_rollover(session, params, std::nullopt));
  const auto* begun = realm::begun_row(state_of(row));
  if (begun == nullptr)
    return Error(Code::Conflict, "the rollover is " + row.state + ": no step is begun",
                 "possible: " + realm::steps_from(state_of(row)));
  PKI_TRY_VOID(complete_step(session, row, *begun));
  return show(session, row);
}

Result<Json> ca_rollover_status(Session& session, const Params& params) {
  const auto row = find_rollover(session, params, std::nullopt);
  if (row.ok()) return show(session, *row);
  if (row.error().code() != Code::NotFound || params.has("generation")) return row.error();
  const auto ca = ca_of(params);
  if (ca != config::kFirstCa && !session.realm().cas.contains(ca)) return row.error();
  const auto none = RolloverState::None;
  return Json::object({{"ca", ca}, {"state", realm::to_text(none)}, {"possible", realm::steps_from(none)}});
}

}  // namespace chancery::worker