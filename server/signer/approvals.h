#pragma once

#include <optional>
#include <string>

#include "server/config/realm_config.h"
#include "server/signer/journal.h"
#include "server/signer/messages.h"

/// Approvals that the signer verifies itself, so that neither a worker that somebody else runs nor a changed row of the store
/// yields a certificate (doc/four-eyes.md).
namespace chancery::signer {

/// Where the profile demands signed approvals: that the request carries enough of them, each over the digest of what is to be
/// signed, by certificates that this CA made of profiles that may approve, of different people, none of whom asks.
/// What the signer knows of revocations is what its journal has.
/// @errors PolicyRefused: says what is missing.
Status check_approvals(const config::RealmConfig& realm, const config::Profile& profile, const Journal& journal,
                       const SignRequest& request, Seconds now);

/// A step of a rollover, as the signer is told to take it.
struct RolloverDeed {
  std::string ca;      ///< the generation that is made: realm::Label
  std::string step;    ///< a realm::RolloverStep's name
  std::string source;  ///< of one that starts: NewGeneration::from
};

/// The same where the realm has rollovers approved by signatures: over the digest of a request for that step of that generation,
/// or for all of them. @errors PolicyRefused: says what is missing.
Status check_rollover_approvals(const config::RealmConfig& realm, const Journal& journal, const RolloverDeed& deed,
                                const std::optional<ApprovedRequest>& approved, Seconds now);

}  // namespace chancery::signer
