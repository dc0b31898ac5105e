#pragma once

#include "server/base/file.h"
#include "server/config/realm_config.h"

/// The secret that a CA's key follows from (doc/ca-from-secret.md).
namespace chancery::signer {

inline constexpr std::size_t kMaxSecretBytes = 4096;
inline constexpr double kLeastSecretBits = 128;

/// How many bits of chance the octets can have at most, judged by their looks: how often each comes, how each differs from the
/// one before, whether they repeat, whether they are words. It finds passwords and patterns, not every bad secret.
double bits_of_chance(ByteView octets);

/// The octets of a file that nobody else can read, without one line feed at the end.
/// @errors BadConfig: too short, or of too little chance: says what was found; NotFound, Denied, TooLarge, Io.
Result<SecretBytes> read_ca_secret(const base::Path& path);

/// The registration seed is known to everybody who operates an RA: a key that follows from it is theirs, too. Holds the secret
/// against the realm's seed_file and UPKI_CA_SEED. @errors PolicyRefused: it is, or contains, that seed; Denied, Io.
Status check_is_no_seed(const SecretBytes& secret, const config::RealmConfig& realm);

}  // namespace chancery::signer
