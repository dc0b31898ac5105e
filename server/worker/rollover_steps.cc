#include "server/worker/rollover_steps.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/config/next_key.h"
#include "server/worker/handlers.h"
#include "server/worker/reconcile.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

using realm::GenerationState;
using realm::RolloverState;
using realm::RolloverStep;

/// So that what was certified for it can be revoked. @return the serials
Result<std::vector<Serial>> store_certificates_of(Session& session, const std::string& label) {
  PKI_TRY(const auto* generation, session.generation(label));
  const auto fresh = *generation;  // the session's may be read anew meanwhile
  return store_ca_certificates(session, fresh);
}

Status prepare(Session& session, const store::CaRollover& row) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto all, signer->create_generation({row.new_label, row.source, session.requester()}, session.approved_step()));
  PKI_TRY_VOID(session.keep_generations(all));
  PKI_TRY([[maybe_unused]] const auto stored, store_certificates_of(session, row.new_label));
  return {};
}

Status publish(Session& session, const store::CaRollover& row) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto all, signer->cross_sign(row.new_label, session.approved_step()));
  PKI_TRY_VOID(session.keep_generations(all));
  PKI_TRY([[maybe_unused]] const auto stored, store_certificates_of(session, row.new_label));
  PKI_TRY([[maybe_unused]] const auto crl, issue_crl(session, row.new_label, true));
  return {};
}

Status set_state(Session& session, const std::string& label, GenerationState state) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto all, signer->set_generation(label, realm::to_text(state), session.requester(), session.approved_step()));
  return session.keep_generations(all);
}

/// The new one first: at no time there is none that issues.
Status switch_over(Session& session, const store::CaRollover& row) {
  PKI_TRY_VOID(set_state(session, row.new_label, GenerationState::Active));
  return row.old_label.empty() ? Status() : set_state(session, row.old_label, GenerationState::Draining);
}

/// Its last CRL says what was revoked until the end of the last certificate; the signer sees to it, too.
Status make_last_crl(Session& session, const std::string& label) {
  PKI_TRY_VOID(session.refresh_generations());
  PKI_TRY(const auto* generation, session.generation(label));
  if (generation->state != GenerationState::Draining || !generation->last_end) return {};
  const auto end = *generation->last_end;
  PKI_TRY(auto* store, session.store());
  const auto latest = store->latest_crl_facts(label);
  if (latest.ok() && latest->this_update > end) return {};
  PKI_TRY([[maybe_unused]] const auto crl, issue_crl(session, label, false));
  return {};
}

Status retire(Session& session, const store::CaRollover& row) {
  if (row.old_label.empty()) return {};
  PKI_TRY_VOID(make_last_crl(session, row.old_label));
  return set_state(session, row.old_label, GenerationState::Retired);
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
  PKI_TRY_VOID(put_rollover(session, known, state));
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
  PKI_TRY_VOID(session.refresh_generations());
  PKI_TRY(const auto until, drains_until(session, row.old_label));
  if (!until) return {};
  return Error(Code::Conflict,
               "generation " + row.old_label + " has certificates that expire as late as " + base::to_rfc3339(*until),
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

}  // namespace

RolloverState state_of(const store::CaRollover& row) { return realm::rollover_state(row.state).value_or(RolloverState::None); }

Status put_rollover(Session& session, store::CaRollover& row, RolloverState state) {
  row.state = realm::to_text(state);
  row.changed_by = session.requester();
  row.changed_at = session.clock().now();
  PKI_TRY(auto* store, session.store());
  return store->put_ca_rollover(row);
}

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
      if (url.find(config::kGenerationPlace) != std::string::npos) continue;
      return Error(Code::BadConfig, std::string(setting) + " has " + url + ", which is the same for every CA and generation",
                   "write {ca} where its name is to stand, like http://pki.example.com/cas/{ca}/crl, and reload");
    }
  }
  return {};
}

Result<std::optional<Seconds>> drains_until(Session& session, const std::string& label) {
  if (label.empty()) return std::optional<Seconds>();
  PKI_TRY(const auto* generation, session.generation(label));
  const bool is_over = !generation->last_end || session.clock().now() > *generation->last_end;
  return is_over ? std::optional<Seconds>() : generation->last_end;
}

Status complete_step(Session& session, store::CaRollover& row, const realm::RolloverRow& step) {
  const auto* const deed = std::ranges::find(kDeeds, step.step, &Deed::step);
  PKI_TRY_VOID(deed->act(session, row));
  // The first generation of a CA has nothing behind it that drains.
  const bool is_first = step.step == RolloverStep::Switch && row.old_label.empty();
  PKI_TRY_VOID(put_rollover(session, row, is_first ? RolloverState::Retired : step.to));
  base::log_info("rollover of CA " + row.ca + " to " + row.new_label + ": " + row.state + " by " + row.changed_by);
  return {};
}

Status take_step(Session& session, store::CaRollover& row, RolloverStep step) {
  const auto state = state_of(row);
  PKI_TRY(const auto* next, realm::next_row(state, step));
  if (next->during == state) return complete_step(session, row, *next);  // it was begun
  const auto* const deed = std::ranges::find(kDeeds, step, &Deed::step);
  PKI_TRY_VOID(deed->check(session, row));
  PKI_TRY_VOID(put_rollover(session, row, next->during));
  return complete_step(session, row, *next);
}

}  // namespace chancery::worker
