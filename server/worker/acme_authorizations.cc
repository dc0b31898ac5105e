#include <algorithm>

#include "server/base/log.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_limits.h"
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

bool is_free(const Json& challenge, Seconds now) { return challenge_status(challenge, now) == "pending"; }

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
void give_back(Json& challenge) { challenge.set("claim", random_id()).set("claimed_until", std::int64_t{0}); }

/// The verdict on a challenge decides the authorization (RFC 8555 7.1.6).
void decide(store::AcmeAuthorization& authorization, Json& challenge, const Params& params, const config::AcmeConfig& acme,
            Seconds now) {
  const bool valid = params.boolean("valid");
  challenge.set("status", valid ? "valid" : "invalid");
  challenge.set("validated", base::to_rfc3339(now));
  if (!valid && params.json("error") != nullptr) challenge.set("error", *params.json("error"));
  challenge.set("evidence", params.text("evidence"));
  if (valid && params.boolean("caa_checked")) challenge.set("caa_checked_at", base::to_epoch(now));
  authorization.status = valid ? "valid" : "invalid";
  if (valid) authorization.expires = now + acme.authorization_lifetime;
}

}  // namespace

Result<Json> acme_authorization_get(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto authorization, named_authorization(*store, params));
  return describe_authorization(authorization, session.clock().now());
}

Result<Json> acme_authorization_deactivate(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto authorization, named_authorization(*store, params));
  const auto now = session.clock().now();
  const auto status = authorization_status(authorization, now);
  if (status != "pending" && status != "valid")
    return Error(Code::Conflict, "the authorization is " + status + ", expected a pending or valid one");
  authorization.status = "deactivated";
  PKI_TRY_VOID(store->update_acme_authorization(authorization));
  return describe_authorization(authorization, now);
}

Result<Json> acme_challenge_begin(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, signing_account(*store, params));
  PKI_TRY(auto authorization, owned_authorization(*store, account.id, params.text("authorization")));
  const auto now = session.clock().now();
  auto challenges = challenges_of(authorization);
  auto* challenge = challenge_of(challenges, params.text("type"));
  if (challenge == nullptr) return Error(Code::NotFound, "the authorization has no challenge of type " + params.text("type"));
  if (authorization_status(authorization, now) != "pending" || !is_free(*challenge, now))
    return task(authorization, "", account.thumbprint, now);
  const auto& acme = session.realm().acme;
  if (!offers(acme, authorization, params.text("type"))) {
    challenge->set("status", "pending");
    PKI_TRY_VOID(leave(*store, authorization, challenges));
    return not_offered(params.text("type"), authorization.value);
  }
  const auto claim = random_id();
  challenge->set("status", "processing").set("claim", claim);
  challenge->set("claimed_until", base::to_epoch(now + acme.claim_life()));
  challenge->set("asked_from", params.text("peer"));
  authorization.challenges = wire::to_text(challenges);
  const auto claimed = store->update_acme_authorization(authorization);
  if (claimed.ok()) return task(authorization, claim, account.thumbprint, now).set("rules", describe_rules(acme));
  if (!is_conflict(claimed)) return claimed.error();
  // Somebody else was first: exactly one validates (PROMISES I20).
  PKI_TRY(const auto other, owned_authorization(*store, account.id, authorization.id));
  return task(other, "", account.thumbprint, now);
}

Result<Json> acme_challenge_finish(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
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
    const auto ended_as = authorization.status;
    if (untried) {
      give_back(*challenge);
    } else {
      decide(authorization, *challenge, params, session.realm().acme, now);
    }
    authorization.challenges = wire::to_text(challenges);
    // Before anybody sees that it is invalid: the next order counts it. Giving it up meanwhile undoes no failure.
    if (authorization.status == "invalid" && attempt == 1) PKI_TRY_VOID(note_failure(session, *store, authorization));
    if (!is_open) authorization.status = ended_as;
    const auto written = store->update_acme_authorization(authorization);
    if (written.ok()) {
      base::log_info("authorization " + authorization.id + " for " + authorization.value + " is " + authorization.status + ": " +
                     params.text("evidence"));
      return describe_authorization(authorization, now);
    }
    if (!is_conflict(written) || attempt == kTries) return written.error();
  }
}

}  // namespace chancery::worker
