#pragma once

#include <optional>
#include <string>

#include "server/realm/policy.h"
#include "server/realm/rules.h"
#include "server/worker/session.h"

namespace chancery::worker {

struct Order;

/// Whether the order, or who asks, shows that: challenge, hmac or on_behalf of config::kProofKinds. Secrets that are wrong count
/// as logins that failed do. What is not there is not shown, and counts nowhere.
/// @errors Busy: too many were wrong; Unavailable: the secret's file cannot be read.
Result<bool> shows_proof(Session& session, const Order& order, const config::Proof& proof, const realm::Question& question);

/// What a proof over the request covers besides it, in this order: "profile NAME\n" unless it is server, "days NUMBER\n" if a
/// number came. Proofs are over the request's DER with that behind it (doc/enrolment.md).
std::string beside_request(const Order& order);

/// The idempotency key of a request with an HMAC, if that is right: who has had a certificate by it gets the same one, before any
/// limit is asked. None: it has none, or comes another way.
std::optional<std::string> key_of_hmac(const Order& order);

/// The idempotency key of a request that an HMAC or a signature over it let enrol, whoever sends it: those can be repeated by
/// anybody who saw them, and are good for one certificate. None: it was another proof.
std::optional<std::string> key_of_proof(const Order& order, const realm::Decision& decision);

}  // namespace chancery::worker
