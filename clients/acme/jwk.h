#pragma once

#include <string>

#include "server/crypto/key.h"
#include "server/wire/json.h"

namespace chancery::acme {

/// A public JSON Web Key (RFC 7517, RFC 7518 6, RFC 8037) that passed the key checks.
struct Jwk {
  crypto::PublicKey key;
  Json json;               ///< its required members only, in RFC 7638's order
  std::string thumbprint;  ///< RFC 7638, SHA-256, base64url
};

/// @errors malformed: not an object, a member missing or of the wrong form, a private key; badPublicKey: a kind that accounts
/// may not have, or one that the key checks refuse (PROMISES C13).
Result<Jwk> read_jwk(const Json& json);

}  // namespace chancery::acme
