#pragma once

#include <vector>

#include "server/realm/generations.h"
#include "server/signer/client.h"
#include "server/store/store.h"

/// The generations of a realm's CAs, as workers know them. The signer has the word; the store keeps a copy of what everybody may
/// know, so that a session that has lasted for hours, and one on another machine, sees the next generation at its next command.
namespace chancery::worker {

/// The name of that copy among the store's small facts. A realm that has one CA of one generation has none.
inline constexpr const char* kGenerationsFact = "ca_generations";

std::string to_text(const std::vector<signer::GenerationInfo>& generations);
/// @errors Corrupt.
Result<std::vector<realm::Generation>> generations_from(const std::string& text, const config::RealmConfig& realm);

/// Writes the copy when it is another than that. @return whether it was.
Result<bool> keep_generations(store::Store& store, const std::vector<signer::GenerationInfo>& generations);

/// Of a realm that has one CA of one generation. @param chain  PEM; empty: it waits for its certificate
Result<std::vector<realm::Generation>> only_generation(const std::string& chain, const config::RealmConfig& realm);

/// The generation that signed a certificate, by what the certificate says: verify_signed_by tells whether that is true. Null:
/// none of these.
const realm::Generation* signer_of(const std::vector<realm::Generation>& all, const x509::Certificate& certificate);

}  // namespace chancery::worker
