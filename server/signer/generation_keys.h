#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "server/signer/generations.h"
#include "server/signer/tokens.h"

/// The keys of a realm's further CAs and generations: in files, or in tokens (doc/keys.md).
namespace chancery::signer {

/// Of a generation that is there: open, or, where people open the realm's keys, locked until they do.
/// @errors as read_ca_key; BadConfig: the realm does not describe the token that it is in.
Result<std::shared_ptr<SigningKey>> read_generation_key(const config::RealmConfig& realm, const std::string& label,
                                                        const Tokens& tokens);

/// That a configuration describes the token that a generation has its key in. @errors BadConfig: it does not.
Status check_described(const config::RealmConfig& realm, const std::string& label);

/// Whether its key cannot be known before its certificate or request says which one it is.
bool is_known_by_certificate(const config::RealmConfig& place);

/// What a new key is made with.
struct KeyMaking {
  const Tokens& tokens;
  const std::map<std::string, std::string>&
      known;                            ///< generations of the journal and the SHA-256 of their keys: nor has one of these
  const SecretBytes* secret = nullptr;  ///< by which people have opened the realm's keys, where they do
};
/// The key that an interrupted attempt left, or a new one, where the realm wants it: in a file, protected as the realm wants it,
/// or in a token, made or taken over there. One in a token has proven itself. @errors BadConfig, Io; Unavailable: people have not
/// opened the realm, or the token is away; NotFound, Exists, Conflict: what is in the token is not what was expected.
Result<std::shared_ptr<SigningKey>> make_key_of(const config::RealmConfig& realm, const std::string& label,
                                                const KeyMaking& making);

}  // namespace chancery::signer
