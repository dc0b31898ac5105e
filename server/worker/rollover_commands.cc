#include <algorithm>
#include <limits>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/realm/rollover.h"
#include "server/worker/handlers.h"
#include "server/worker/reconcile.h"
#include "server/worker/revocation.h"

/// A CA's next generation, step by step (realm/rollover.h): the state is stored before a step is done and after it, each time
/// with compare-and-set, and what a step does can be done again.
namespace chancery::worker {
namespace {

using realm::GenerationState;
using realm::RolloverState;
using realm::RolloverStep;

constexpr std::size_t kMostCounted = 200'000;  ///< of certificates, for the progress
constexpr std::size_t kAllCounted = 1'000'000'000;

Error no_rollover(const std::string& ca) {
  return {Code::NotFound, "CA " + ca + " was never rolled over", "ca.rollover.start begins it"};
}

RolloverState state_of_row(const store::CaRollover& row) {
  return realm::rollover_state(row.state).value_or(RolloverState::None);
}

std::string ca_of(const Params& params) { return params.text("ca", config::kFirstCa); }

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
    const auto may_end = [](const store::CaRollover& row) {
      return realm::next_row(state_of_row(row), RolloverStep::Retire).ok();
    };
    const auto oldest = std::find_if(rows.rbegin(), rows.rend(), may_end);
    if (oldest != rows.rend()) return *oldest;
  }
  return rows.front();
}

// ----- what the steps do

/// Certificates of a new generation, or of a further CA, that pointed to the first one's CRL would count as good when they are
/// revoked.
Status check_urls(const Session& session, const std::string& ca, bool is_first) {
  if (is_first && ca == config::kFirstCa) return {};
  const auto& realm = session.realm();
  const auto row = realm.cas.find(ca);
  const auto own = row == realm.cas.end() ? config::CaConfig() : row->second;
  for (const auto& [setting, urls] :
       {std::pair("crl_urls", own.crl_urls.empty() ? realm.crl_urls : own.crl_urls),
        std::pair("crl_delta_urls", own.crl_delta_urls.empty() ? realm.crl_delta_urls : own.crl_delta_urls),
        std::pair("ca_issuer_urls", own.ca_issuer_urls.empty() ? realm.ca_issuer_urls : own.ca_issuer_urls)}) {
    for (const auto& url : urls) {
      if (url.find("{ca}") != std::string::npos) continue;
      return Error(Code::BadConfig, std::string(setting) + " has " + url + ", which is the same for every CA and generation",
                   "write {ca} where its name is to stand, like http://pki.example.com/cas/{ca}/crl, and reload");
    }
  }
  return {};
}

/// So that what was certified for it can be revoked. @return the serials
Result<std::vector<Serial>> store_certificates_of(Session& session, const std::string& label) {
  PKI_TRY(const auto* generation, session.generation(label));
  const auto fresh = *generation;  // the session's may be read anew meanwhile
  return store_ca_certificates(session, fresh);
}

Status prepare(Session& session, const store::CaRollover& row) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto all, signer->create_generation({row.new_label, row.source, session.requester()}));
  PKI_TRY_VOID(session.keep_generations(all));
  PKI_TRY([[maybe_unused]] const auto stored, store_certificates_of(session, row.new_label));
  return {};
}

Status publish(Session& session, const store::CaRollover& row) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto all, signer->cross_sign(row.new_label));
  PKI_TRY_VOID(session.keep_generations(all));
  PKI_TRY([[maybe_unused]] const auto stored, store_certificates_of(session, row.new_label));
  PKI_TRY([[maybe_unused]] const auto crl, issue_crl(session, row.new_label, true));
  return {};
}

Status set_state(Session& session, const std::string& label, GenerationState state) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto all, signer->set_generation(label, realm::to_text(state), session.requester()));
  return session.keep_generations(all);
}

/// The new one first: at no time there is none that issues.
Status switch_over(Session& session, const store::CaRollover& row) {
  PKI_TRY_VOID(set_state(session, row.new_label, GenerationState::Active));
  return row.old_label.empty() ? Status() : set_state(session, row.old_label, GenerationState::Draining);
}

Status retire(Session& session, const store::CaRollover& row) {
  return row.old_label.empty() ? Status() : set_state(session, row.old_label, GenerationState::Retired);
}

Status put(Session& session, store::CaRollover& row, RolloverState state) {
  row.state = realm::to_text(state);
  row.changed_by = session.requester();
  row.changed_at = session.clock().now();
  PKI_TRY(auto* store, session.store());
  return store->put_ca_rollover(row);
}

/// A store from an older copy may not know that the switch was made, after which there is no way back. It is told here, so that
/// the rollover can go on.
Status check_abort(Session& session, const store::CaRollover& row) {
  PKI_TRY_VOID(session.refresh_generations());
  PKI_TRY(const auto* all, session.generations());
  const auto* generation = realm::find(*all, row.new_label);
  if (generation == nullptr || generation->state == GenerationState::Prepared || generation->state == GenerationState::Aborted)
    return {};
  const auto state = generation->state == GenerationState::Active ? RolloverState::Switching : RolloverState::Draining;
  const auto phase = std::string(realm::to_text(generation->state));
  auto known = row;
  PKI_TRY_VOID(put(session, known, state));
  return Error(Code::Conflict,
               "generation " + row.new_label + " is " + phase + ", which the store did not know: the rollover is " + known.state +
                   ", and there is no way back",
               "possible: " + realm::steps_from(state));
}

/// Whether it exists for the signer: of one whose key was never made there is nothing to end.
Status abort(Session& session, const store::CaRollover& row) {
  PKI_TRY_VOID(check_abort(session, row));
  const auto generation = session.generation(row.new_label);
  if (!generation.ok()) return generation.error().code() == Code::NotFound ? Status() : Status(generation.error());
  PKI_TRY(const auto serials, store_certificates_of(session, row.new_label));
  for (const auto& serial : serials) {
    const auto revoked = revoke(session, serial, "cessationOfOperation");
    if (!revoked.ok() && revoked.error().code() != Code::Conflict) return revoked.error();
  }
  return set_state(session, row.new_label, GenerationState::Aborted);
}

// ----- what must hold before

Status check_has_certificate(Session& session, const store::CaRollover& row) {
  PKI_TRY(const auto* generation, session.generation(row.new_label));
  if (generation->authority) return {};
  return Error(
      Code::Unavailable, "generation " + row.new_label + " has no certificate yet",
      "ca.request --ca " + row.new_label + " gives its request, ca.import --ca " + row.new_label + " brings the certificate");
}

Status check_switch(Session& session, const store::CaRollover& row) {
  PKI_TRY_VOID(check_urls(session, row.ca, row.old_label.empty()));
  PKI_TRY_VOID(check_has_certificate(session, row));
  PKI_TRY(const auto* generation, session.generation(row.new_label));
  const auto& certificate = generation->authority->certificate;
  const auto now = session.clock().now();
  if (now >= certificate.not_before() && now <= certificate.not_after()) return {};
  return Error(Code::PolicyRefused, "the certificate of generation " + row.new_label + " is valid from " +
                                        base::to_rfc3339(certificate.not_before()) + " to " +
                                        base::to_rfc3339(certificate.not_after()) + ", which is not now");
}

Status check_drained(Session& session, const store::CaRollover& row) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto living, store->living_by_ca(session.clock().now(), kAllCounted));
  const auto left = living.of.find(row.old_label);
  if (left == living.of.end()) return {};
  return Error(Code::Conflict,
               "generation " + row.old_label + " has certificates that expire at " + base::to_rfc3339(left->second.last_end) +
                   ", " + std::to_string(left->second.count) + " of them living",
               "its CRLs are needed until the last of them has expired, a revoked one included");
}

Status nothing_more(Session& /*session*/, const store::CaRollover& /*row*/) { return {}; }

/// What a row of the table does: one table with realm::rollover_rows(), by step.
struct Deed {
  RolloverStep step;
  Status (*check)(Session&, const store::CaRollover&);  ///< before the step is begun
  Status (*act)(Session&, const store::CaRollover&);    ///< may be done again
};
constexpr std::array kDeeds{
    Deed{RolloverStep::Start, nothing_more, prepare},      Deed{RolloverStep::Publish, check_has_certificate, publish},
    Deed{RolloverStep::Switch, check_switch, switch_over}, Deed{RolloverStep::Retire, check_drained, retire},
    Deed{RolloverStep::Abort, check_abort, abort},
};

// ----- taking steps

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
                           {"possible", realm::steps_from(state_of_row(row))},
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
  return out;
}

/// Does what is begun, and says so.
Result<Json> complete(Session& session, store::CaRollover row, const realm::RolloverRow& step) {
  const auto* const deed = std::ranges::find(kDeeds, step.step, &Deed::step);
  PKI_TRY_VOID(deed->act(session, row));
  // The first generation of a CA has nothing behind it that drains.
  const bool is_first = step.step == RolloverStep::Switch && row.old_label.empty();
  PKI_TRY_VOID(put(session, row, is_first ? RolloverState::Retired : step.to));
  base::log_info("rollover of CA " + row.ca + " to " + row.new_label + ": " + row.state + " by " + row.changed_by);
  return show(session, row);
}

Result<Json> take(Session& session, const Params& params, RolloverStep step) {
  PKI_TRY(auto row, find_rollover(session, params, step));
  const auto state = state_of_row(row);
  PKI_TRY(const auto* next, realm::next_row(state, step));
  if (next->during == state) return complete(session, std::move(row), *next);  // it was begun
  const auto* const deed = std::ranges::find(kDeeds, step, &Deed::step);
  PKI_TRY_VOID(deed->check(session, row));
  PKI_TRY_VOID(put(session, row, next->during));
  return complete(session, std::move(row), *next);
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

}  // namespace

Result<Json> ca_rollover_start(Session& session, const Params& params) {
  const auto ca = ca_of(params);
  if (ca != config::kFirstCa && !session.realm().cas.contains(ca))
    return Error(Code::NotFound, "no CA \"" + base::printable(ca, 80) + "\" in this realm", "cas in ca.config.yml names them");
  PKI_TRY(const auto* all, session.generations());
  const auto* last = newest(*all, ca, false);
  const auto* issuing = newest(*all, ca, true);
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto rows, store->ca_rollovers(ca));
  const auto state = rows.empty() ? RolloverState::None : state_of_row(rows.front());
  PKI_TRY(const auto* next, realm::next_row(state, RolloverStep::Start));
  if (next->during == state) return complete(session, rows.front(), *next);
  PKI_TRY_VOID(check_urls(session, ca, issuing == nullptr));
  // A generation that was given up before its key was made leaves its number to nobody.
  const auto used = std::max(last == nullptr ? std::int64_t{0} : std::int64_t{last->number()},
                             rows.empty() ? std::int64_t{0} : rows.front().generation);
  if (used >= std::numeric_limits<int>::max())
    return Error(Code::Conflict,
                 "CA " + ca + " has had generation " + std::to_string(used) + ", behind which there is no number");
  const realm::Label label{ca, static_cast<int>(used + 1)};
  const auto source = params.text("from", source_for(session, ca, issuing));
  // Before anything of it is stored; the signer sees to it, too.
  if (source != "request" && issuing != nullptr && issuing->authority)
    PKI_TRY_VOID(realm::check_may_certify_next(*issuing->authority));
  store::CaRollover row{.ca = ca,
                        .generation = used + 1,
                        .state = {},
                        .old_label = issuing == nullptr ? std::string() : issuing->label,
                        .new_label = label.text(),
                        .source = source};
  PKI_TRY_VOID(put(session, row, next->during));
  return complete(session, std::move(row), *next);
}

Result<Json> ca_rollover_publish(Session& session, const Params& params) { return take(session, params, RolloverStep::Publish); }
Result<Json> ca_rollover_switch(Session& session, const Params& params) { return take(session, params, RolloverStep::Switch); }
Result<Json> ca_rollover_retire(Session& session, const Params& params) { return take(session, params, RolloverStep::Retire); }
Result<Json> ca_rollover_abort(Session& session, const Params& params) { return take(session, params, RolloverStep::Abort); }

Result<Json> ca_rollover_resume(Session& session, const Params& params) {
  PKI_TRY(auto row, find_rollover(session, params, std::nullopt));
  const auto* begun = realm::begun_row(state_of_row(row));
  if (begun == nullptr)
    return Error(Code::Conflict, "the rollover is " + row.state + ": no step is begun",
                 "possible: " + realm::steps_from(state_of_row(row)));
  return complete(session, std::move(row), *begun);
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
