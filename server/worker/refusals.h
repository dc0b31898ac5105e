#pragma once

#include <map>
#include <string>

#include "server/realm/policy.h"
#include "server/worker/session.h"

namespace chancery::worker {

struct Order;

/// Remembers what the realm's rules refused, so that another policy can be asked about it. What other checks refused is not their
/// matter. That it cannot be remembered is logged, and changes no answer.
void note_refusal(Session& session, const Order& order, const realm::Decision& decision);

/// A refused request as it can be asked again.
struct RefusedWish {
  realm::Wish wish;
  std::map<std::string, bool> answers;  ///< of look-ups and proofs, as they were
};
/// @param content  of store::RefusedRequest @errors Malformed, NotFound: its profile is gone.
Result<RefusedWish> refused_wish(const config::RealmConfig& realm, const store::RefusedRequest& refused);

}  // namespace chancery::worker
