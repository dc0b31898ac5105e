#pragma once

#include "server/worker/session.h"

/// What ACME's clients left behind goes after a time (incident I28): certificates never do.
namespace chancery::worker {

/// Forgets a batch of ended orders and authorizations, of what limits counted, of expired keys of external account bindings, and
/// of accounts that nobody uses, by the realm's acme.order_retention and acme.account_retention. Upkeep calls it in every round.
Status purge_acme(Session& session, store::Store& store);

}  // namespace chancery::worker
