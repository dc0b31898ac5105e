#pragma once

#include <string>
#include <vector>

#include "server/realm/acme_policy.h"
#include "server/worker/acme_terms.h"

/// Names that an account's policy certifies without proof (acme.policies.*.preauthorized).
namespace chancery::worker {

/// Who asks by a command's `peer` and `client_certificate`. A certificate that is not in force or not the realm's is as good as
/// none, and one that the policy does not ask for is not looked at. @errors the store's.
Result<realm::AcmeAsker> asker_of(Session& session, const config::AcmePolicy& policy, const Params& params);

/// Makes an authorization valid without a challenge. It ends with its order, so that no other order stands on it.
Status grant(store::AcmeAuthorization& authorization, const realm::AcmeAsker& asker, Seconds now);

/// That the policy still grants what it granted when the order was made, and that the certificate with which it was asked for is
/// still in force.
/// @errors acme:unauthorized.
Status check_grants(Session& session, store::Store& store, const config::AcmePolicy& policy, const store::AcmeOrder& order);

}  // namespace chancery::worker
