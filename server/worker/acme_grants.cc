#include "server/worker/acme_grants.h"

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/store/acme_grant.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_moves.h"
#include "server/worker/administrator.h"
#include "server/worker/attest.h"

namespace chancery::worker {
namespace {

constexpr std::string_view kSerial = "client_serial";

/// The entry of what a policy granted. @return null: it was proved, or taken unproven.
const Json* grant_in(const Json& challenges) {
  for (const auto& one : *challenges.as_array()) {
    if (one.text("type") == store::kGrant) return &one;
  }
  return nullptr;
}

/// Adds whose certificate it is, if it is in force and the realm's. @errors the store's.
Status add_holder(Session& session, const x509::Certificate& certificate, realm::AcmeAsker& asker) {
  const auto record = check_living(session, certificate);
  if (!record.ok() && record.error().code() == Code::AuthFailed) {
    base::log_info("a client's certificate " + certificate.serial().hex() + " grants no names: " + record.error().message());
    return {};
  }
  if (!record.ok()) return record.error();
  PKI_TRY(const bool stands, profile_stands(session, *record));
  if (!stands) return {};
  asker.profile = record->profile;
  asker.subject = record->subject;
  asker.serial = record->serial.hex();
  return {};
}

/// Who has shown that certificate, as things are now.
Result<realm::AcmeAsker> asker_again(Session& session, store::Store& store, const std::string& serial_hex) {
  realm::AcmeAsker asker;
  if (serial_hex.empty()) return asker;
  PKI_TRY(const auto serial, Serial::from_hex(serial_hex));
  const auto record = store.certificate(serial);
  if (!record.ok() && record.error().code() == Code::NotFound) return asker;
  if (!record.ok()) return record.error();
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record->der));
  PKI_TRY_VOID(add_holder(session, certificate, asker));
  return asker;
}

/// Where the order came from was looked at when it was made; who finalizes it may sit elsewhere.
Result<bool> is_still_granted(Session& session, store::Store& store, config::AcmePolicy policy, const x509::GeneralName& name,
                              const Json& granted) {
  policy.trusted_networks.clear();
  PKI_TRY(const auto asker, asker_again(session, store, granted.text(kSerial)));
  return realm::needs_no_proof(policy, name, asker);
}

std::string told(const realm::AcmeAsker& asker) {
  const auto from = asker.address.empty() ? std::string() : ", asked for from " + asker.address;
  return asker.serial.empty() ? from : from + ", with certificate " + asker.serial + " of " + base::printable(asker.subject);
}

}  // namespace

Result<realm::AcmeAsker> asker_of(Session& session, const config::AcmePolicy& policy, const Params& params) {
  realm::AcmeAsker asker{.address = params.text("peer")};
  if (policy.trusted_client_profiles.empty() || !params.has("client_certificate")) return asker;
  const auto certificate = x509::Certificate::from_pem(params.text("client_certificate"));
  if (certificate.ok()) PKI_TRY_VOID(add_holder(session, *certificate, asker));
  return asker;
}

Status grant(store::AcmeAuthorization& authorization, const realm::AcmeAsker& asker, Seconds now) {
  const auto from = told(asker);
  PKI_TRY_VOID(happen(authorization, realm::AcmeAuthorizationEvent::Prove));
  auto proof = Json::object({{"type", std::string(store::kGrant)},
                             {"status", std::string(realm::acme_challenge_life().begins())},
                             {"validated", base::to_rfc3339(now)},
                             {"vouched", true},
                             {"evidence", "preauthorized by the account's policy" + from}});
  if (!asker.serial.empty()) proof.set(kSerial, asker.serial);
  PKI_TRY_VOID(happen(proof, realm::AcmeChallengeEvent::Vouch));
  authorization.challenges = wire::to_text(Json::array({std::move(proof)}));
  base::log_info("authorization " + authorization.id + " for " + authorization.value + " of account " + authorization.account +
                 " is preauthorized by the account's policy" + from);
  return {};
}

Status check_grants(Session& session, store::Store& store, const config::AcmePolicy& policy, const store::AcmeOrder& order) {
  for (const auto& id : order.authorizations) {
    PKI_TRY(const auto authorization, store.acme_authorization(id));
    const auto challenges = challenges_of(authorization);
    const auto* const granted = grant_in(challenges);
    if (granted == nullptr) continue;
    PKI_TRY(const auto name, name_of(ordered_identifier(authorization)));
    PKI_TRY(const bool still, is_still_granted(session, store, policy, name, *granted));
    if (still) continue;
    return acme_error("unauthorized", Code::PolicyRefused,
                      name.value + " was preauthorized by the account's policy, and is no more: order it anew");
  }
  return {};
}

}  // namespace chancery::worker
