#pragma once

#include <string>
#include <vector>

#include "server/worker/acme_terms.h"

/// Names that an account's policy certifies without proof (acme.policies.*.preauthorized).
namespace chancery::worker {

/// Makes an authorization valid without a challenge. It ends with its order, so that no other order stands on it.
/// @param peer  the address that it is asked for from
void grant(store::AcmeAuthorization& authorization, const std::string& peer, Seconds now);

/// That the policy still grants what it granted when the order was made.
/// @errors acme:unauthorized.
Status check_grants(store::Store& store, const config::AcmePolicy& policy, const store::AcmeOrder& order);

}  // namespace chancery::worker
