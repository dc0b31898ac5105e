#pragma once

#include <string>

#include "server/realm/rules.h"
#include "server/worker/session.h"

namespace chancery::worker {

struct Order;

/// Whether the order, or who asks, shows that: challenge, hmac or on_behalf of config::kProofKinds. Secrets that are wrong count
/// as logins that failed do. What is not there is not shown, and counts nowhere.
/// @errors Busy: too many were wrong; Unavailable: the secret's file cannot be read.
Result<bool> shows_proof(Session& session, const Order& order, const config::Proof& proof, const realm::Question& question);

}  // namespace chancery::worker
