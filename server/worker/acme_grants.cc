#include "server/worker/acme_grants.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/realm/acme_policy.h"
#include "server/store/acme_grant.h"
#include "server/worker/acme_common.h"

namespace chancery::worker {
namespace {

bool is_granted(const store::AcmeAuthorization& authorization) {
  const auto challenges = challenges_of(authorization);
  return std::ranges::any_of(*challenges.as_array(), [](const Json& one) { return one.text("type") == store::kGrant; });
}

/// Where the order came from was looked at when it was made; who finalizes it may sit elsewhere.
bool is_still_granted(config::AcmePolicy policy, const x509::GeneralName& name) {
  policy.trusted_networks.clear();
  return realm::needs_no_proof(policy, name, {});
}

}  // namespace

void grant(store::AcmeAuthorization& authorization, const std::string& peer, Seconds now) {
  const auto from = peer.empty() ? std::string() : ", asked for from " + peer;
  authorization.status = "valid";
  authorization.challenges =
      wire::to_text(Json::array({Json::object({{"type", std::string(store::kGrant)},
                                               {"status", "valid"},
                                               {"validated", base::to_rfc3339(now)},
                                               {"vouched", true},
                                               {"evidence", "preauthorized by the account's policy" + from}})}));
  base::log_info("authorization " + authorization.id + " for " + authorization.value + " of account " + authorization.account +
                 " is preauthorized by the account's policy" + from);
}

Status check_grants(store::Store& store, const config::AcmePolicy& policy, const store::AcmeOrder& order) {
  for (const auto& id : order.authorizations) {
    PKI_TRY(const auto authorization, store.acme_authorization(id));
    if (!is_granted(authorization)) continue;
    PKI_TRY(const auto name, name_of(ordered_identifier(authorization)));
    if (is_still_granted(policy, name)) continue;
    return acme_error("unauthorized", Code::PolicyRefused,
                      name.value + " was preauthorized by the account's policy, and is no more: order it anew");
  }
  return {};
}

}  // namespace chancery::worker
