#pragma once

#include <string>

#include "server/crypto/key.h"

/// Key pairs that follow from a secret: the same secret and purpose give the same key on every machine, for ever. How, octet by
/// octet, is doc/ca-from-secret.md; t/data/ca-from-secret.txt has what must come out.
namespace chancery::crypto {

inline constexpr std::size_t kMinKeySecretOctets = 32;

/// What a derived key is for: another purpose gives a key that has nothing to do with this one.
struct KeyPurpose {
  std::string realm;
  KeySpec kind;        ///< ec:P-256, ec:P-384, ed25519, rsa:3072 or rsa:4096
  int generation = 1;  ///< of the realm's CA, from 1
};

/// @errors InvalidParams: the kind is not one of these, a secret below kMinKeySecretOctets, a generation below 1.
Result<PrivateKey> derive_key(const SecretBytes& secret, const KeyPurpose& purpose);

}  // namespace chancery::crypto
