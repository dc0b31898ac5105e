#include "server/worker/acme_caa.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_moves.h"
#include "server/worker/acme_terms.h"
#include "server/worker/handlers.h"

namespace chancery::worker {
namespace {

/// The challenge that proved the name; null: an RA vouched for it, or nobody proved it.
Json* proof_in(Json& challenges) {
  for (auto& one : *challenges.as_array()) {
    if (one.text("status") == "valid" && !one.boolean("vouched")) return &one;
  }
  return nullptr;
}

bool is_stale(const Json& proof, Seconds now) { return base::from_epoch(proof.integer("caa_checked_at")) + kCaaLife <= now; }

bool is_claimed(const Json& proof, Seconds now) {
  return !proof.text("caa_claim").empty() && base::from_epoch(proof.integer("caa_claimed_until")) > now;
}

Json check_of(const store::AcmeAuthorization& authorization, const Json& proof) {
  return Json::object({{"authorization", authorization.id},
                       {"account", authorization.account},
                       {"identifier", identifier_of(authorization)},
                       {"wildcard", authorization.wildcard},
                       {"type", proof.text("type")},
                       {"claim", proof.text("caa_claim")}});
}

/// Adds what is to be looked at for one authorization. Somebody else's claim is left alone.
Status claim_check(Session& session, store::Store& store, const std::string& id, CaaChecks& out) {
  const auto now = session.clock().now();
  PKI_TRY(auto authorization, store.acme_authorization(id));
  if (authorization.type != "dns") return {};
  PKI_TRY(auto challenges, wire::parse_json(authorization.challenges));
  auto* proof = proof_in(challenges);
  if (proof == nullptr || !is_stale(*proof, now)) return {};
  out.is_fresh = false;
  if (is_claimed(*proof, now)) return {};
  proof->set("caa_claim", random_id());
  proof->set("caa_claimed_until", base::to_epoch(now + session.realm().acme.claim_life()));
  authorization.challenges = wire::to_text(challenges);
  const auto claimed = store.update_acme_authorization(authorization);
  if (claimed.ok()) out.checks.push_back(check_of(authorization, *proof));
  return unless_overtaken(claimed);
}

/// Notes what was found, and gives the claim back. @errors Conflict: the claim is another's by now.
Status note_outcome(store::Store& store, const Params& params, Seconds now) {
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(auto authorization, store.acme_authorization(params.text("authorization")));
    PKI_TRY(auto challenges, wire::parse_json(authorization.challenges));
    auto* proof = proof_in(challenges);
    if (proof == nullptr || proof->text("caa_claim") != params.text("claim"))
      return Error(Code::Conflict, "the claim on this CAA check has passed to another");
    proof->set("caa_claim", "");
    if (!params.boolean("untried")) proof->set("caa_evidence", params.text("evidence"));
    if (params.boolean("allowed") && !params.boolean("untried")) proof->set("caa_checked_at", base::to_epoch(now));
    authorization.challenges = wire::to_text(challenges);
    const auto written = store.update_acme_authorization(authorization);
    if (!is_conflict(written) || attempt == kTries) return written;
  }
}

/// The order ends with what the look at CAA found (RFC 8555 7.1.6: processing, then invalid).
Status end_order(store::Store& store, store::AcmeOrder& order, const Params& params) {
  if (!is_finalized(order)) return {};
  PKI_TRY_VOID(happen(order, realm::AcmeOrderEvent::Refuse));
  const auto* error = params.json("error");
  order.error = error != nullptr ? wire::to_text(*error) : acme_problem("caa", "CAA does not allow to issue");
  return store.update_acme_order(order);
}

}  // namespace

Result<CaaChecks> claim_caa_checks(Session& session, store::Store& store, const store::AcmeOrder& order) {
  CaaChecks out;
  if (session.realm().acme.caa_identities.empty()) return out;
  for (const auto& id : order.authorizations) PKI_TRY_VOID(claim_check(session, store, id, out));
  return out;
}

Result<Json> acme_caa_finish(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto order, store->acme_order(params.text("order")));
  const bool is_its_own = std::ranges::find(order.authorizations, params.text("authorization")) != order.authorizations.end();
  if (!is_its_own) return Error(Code::NotFound, "the order has no such authorization");
  PKI_TRY_VOID(note_outcome(*store, params, session.clock().now()));
  if (params.boolean("untried")) return describe_order(order);
  if (!params.boolean("allowed")) PKI_TRY_VOID(end_order(*store, order, params));
  base::log_info("order " + order.id + ", authorization " + params.text("authorization") + ": CAA " +
                 (params.boolean("allowed") ? "allows it: " : "does not allow it: ") + params.text("evidence"));
  return describe_order(order);
}

}  // namespace chancery::worker
