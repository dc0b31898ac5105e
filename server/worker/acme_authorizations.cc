#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_limits.h"
#include "server/worker/acme_moves.h"
#include "server/worker/acme_terms.h"
#include "server/worker/handlers.h"

namespace chancery::worker {
namespace {

/// The authorization that a command names, of the account that signed.
Result<store::AcmeAuthorization> named_authorization(store::Store& store, const Params& params) {
  PKI_TRY(const auto account, signing_account(store, params));
  return owned_authorization(store, account.id, params.text("authorization"));
}

Json* challenge_of(Json& challenges, const std::string& type) {
  for (auto& one : *challenges.as_array()) {
    if (one.text("type") == type) return &one;
  }
  return nullptr;
}

/// One whose validator has not been heard of since is pending again.
Status settle(Json& challenge, Seconds now) {
  const bool lapsed = challenge.text("status") == "processing" && challenge_status(challenge, now) == "pending";
  return lapsed ? happen(challenge, realm::AcmeChallengeEvent::Lapse) : Status();
}

Json task(const store::AcmeAuthorization& authorization, const std::string& claim, const std::string& thumbprint, Seconds now) {
  auto out = Json::object(
      {{"claimed", !claim.empty()}, {"authorization", describe_authorization(authorization, now)}, {"thumbprint", thumbprint}});
  if (!claim.empty()) out.set("claim", claim);
  return out;
}

/// One whose validator was interrupted is nobody's any more, or every look at it would begin it again.
Status leave(store::Store& store, store::AcmeAuthorization& authorization, const Json& challenges) {
  authorization.challenges = wire::to_text(challenges);
  return unless_overtaken(store.update_acme_authorization(authorization));
}

/// The realm may have taken a method back since the authorization was made.
Error not_offered(const std::string& type, const std::string& name) {
  return acme_error("malformed", Code::PolicyRefused,
                    "this realm no longer offers " + type + " for " + name + ": prove it by another challenge, or order it anew");
}

/// A claim that nobody has and that is over: the next look at the challenge takes it up.
Status give_back(Json& challenge) {
  challenge.set("claim", random_id()).set("claimed_until", std::int64_t{0});
  return happen(challenge, realm::AcmeChallengeEvent::GiveBack);
}

/// The verdict on a challenge decides the authorization, unless that has ended meanwhile (RFC 8555 7.1.6).
Status decide(store::AcmeAuthorization& authorization, Json& challenge, const Params& params, const config::AcmeConfig& acme,
              Seconds now) {
  const bool valid = params.boolean("valid");
  PKI_TRY_VOID(happen(challenge, valid ? realm::AcmeChallengeEvent::Prove : realm::AcmeChallengeEvent::Fail));
  challenge.set("validated", base::to_rfc3339(now));
  if (!valid && params.json("error") != nullptr) challenge.set("error", *params.json("error"));
  challenge.set("evidence", params.text("evidence"));
  if (valid && params.boolean("caa_checked")) challenge.set("caa_checked_at", base::to_epoch(now));
  if (authorization_status(authorization, now) != "pending") return {};
  PKI_TRY_VOID(happen(authorization, valid ? realm::AcmeAuthorizationEvent::Prove : realm::AcmeAuthorizationEvent::Fail));
  if (valid) authorization.expires = now + acme.authorization_lifetime;
  return {};
}

/// What a verdict rests on: what was seen, or what the problem says.
std::string reason_in(const Params& params) {
  const auto evidence = params.text("evidence");
  const auto* const error = params.json("error");
  return !evidence.empty() || error == nullptr ? evidence : base::printable(error->text("detail"), 500);
}

}  // namespace

Result<Json> acme_authorization_get(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto view = store->view();
  PKI_TRY(const auto authorization, named_authorization(*store, params));
  return describe_authorization(authorization, session.clock().now());
}

Result<Json> acme_authorization_deactivate(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto authorization, named_authorization(*store, params));
  const auto now = session.clock().now();
  const auto status = authorization_status(authorization, now);
  if (!realm::acme_authorization_life().allows(status, realm::AcmeAuthorizationEvent::Deactivate))
    return Error(Code::Conflict, "the authorization is " + status + ", expected a pending or valid one");
  PKI_TRY_VOID(happen(authorization, realm::AcmeAuthorizationEvent::Deactivate));
  PKI_TRY_VOID(store->update_acme_authorization(authorization));
  return describe_authorization(authorization, now);
}

Result<Json> acme_challenge_begin(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(auto* store, session.store());
  const auto view = store->view();
  PKI_TRY(const auto account, signing_account(*store, params));
  PKI_TRY(auto authorization, owned_authorization(*store, account.id, params.text("authorization")));
  const auto now = session.clock().now();
  auto challenges = challenges_of(authorization);
  auto* challenge = challenge_of(challenges, params.text("type"));
  if (challenge == nullptr) return Error(Code::NotFound, "the authorization has no challenge of type " + params.text("type"));
  PKI_TRY_VOID(settle(*challenge, now));
  if (authorization_status(authorization, now) != "pending" || challenge->text("status") != "pending")
    return task(authorization, "", account.thumbprint, now);
  const auto& acme = session.realm().acme;
  if (!offers(acme, authorization, params.text("type"))) {
    PKI_TRY_VOID(leave(*store, authorization, challenges));
    return not_offered(params.text("type"), authorization.value);
  }
  const auto claim = random_id();
  PKI_TRY_VOID(happen(*challenge, realm::AcmeChallengeEvent::Begin));
  challenge->set("claim", claim);
  challenge->set("claimed_until", base::to_epoch(now + acme.claim_life()));
  challenge->set("asked_from", params.text("peer"));
  authorization.challenges = wire::to_text(challenges);
  PKI_TRY(const auto policy, policy_of_account(session, *store, account.id));
  const auto claimed = store->begin_acme_validation(authorization, validation_of(authorization, *challenge),
                                                    allowance_for(session, *store, policy, authorization));
  if (claimed.ok()) return task(authorization, claim, account.thumbprint, now).set("rules", describe_rules(acme));
  if (!is_conflict(claimed)) return claimed.error();
  // Somebody else was first: exactly one validates (PROMISES I20).
  PKI_TRY(const auto other, owned_authorization(*store, account.id, authorization.id));
  return task(other, "", account.thumbprint, now);
}

Result<Json> acme_challenge_finish(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto view = store->view();
  const auto now = session.clock().now();
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(auto authorization, store->acme_authorization(params.text("authorization")));
    auto challenges = challenges_of(authorization);
    auto* challenge = challenge_of(challenges, params.text("type"));
    if (challenge == nullptr) return Error(Code::NotFound, "no such challenge");
    if (challenge->text("status") != "processing" || challenge->text("claim") != params.text("claim")) {
      return Error(Code::Conflict, "the claim on this challenge has passed to another");
    }
    const bool is_open = authorization_status(authorization, now) == "pending";
    const bool untried = params.boolean("untried");
    if (!is_open && (untried || params.boolean("valid"))) return describe_authorization(authorization, now);
    const auto validation = validation_of(authorization, *challenge);
    PKI_TRY_VOID(untried ? give_back(*challenge) : decide(authorization, *challenge, params, session.realm().acme, now));
    authorization.challenges = wire::to_text(challenges);
    // Giving the authorization up meanwhile undoes no failure.
    std::optional<store::AcmeFailure> failure;
    if (!untried && !params.boolean("valid")) failure = failure_of(validation, now);
    const auto written = store->end_acme_validation(authorization, validation, failure);
    if (written.ok()) {
      base::log_info("authorization " + authorization.id + " for " + authorization.value + " is " + authorization.status + ": " +
                     reason_in(params));
      return describe_authorization(authorization, now);
    }
    if (!is_conflict(written) || attempt == kTries) return written.error();
  }
}

}  // namespace chancery::worker
