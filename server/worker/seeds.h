#pragma once

#include <optional>
#include <string>

#include "server/base/names.h"
#include "server/worker/session.h"

/// Registration seeds (UPKI.md 2): the realm's own, in seed_file, and those that operators make for so many registrations.
namespace chancery::worker {

/// What a seed that was right allows.
struct SeedGrant {
  std::string id;                      ///< of a seed in the store, empty: the realm's own
  std::optional<ProfileName> profile;  ///< the only one; none: any that is registrable
  std::string cn;                      ///< the only one; empty: any
};

/// Whether a registration may end in such a certificate, whoever's the seed: never in a CA's or an administrator's.
/// @errors PolicyRefused.
Status check_registrable(const config::Profile& profile);

/// Looks at an offered seed, and uses nothing up. The answer takes the same time whatever was sent, and says the same whether
/// the seed is wrong, used up, expired or revoked (PROMISES F54); the log says which.
/// @errors Denied: registration is closed; AuthFailed; those of the store.
Result<SeedGrant> read_seed(Session& session, const std::string& offered);
/// Takes one use of the seed, once everything is there that the registration needs. @errors AuthFailed: somebody else took the
/// last one meanwhile, or its time has passed; those of the store.
Status take_use(Session& session, const SeedGrant& grant);
/// The registration was refused: its use may be taken again. After anything else nobody knows whether a certificate was made, and
/// the use stays taken.
void give_back(Session& session, const SeedGrant& grant, const Error& why);

}  // namespace chancery::worker
