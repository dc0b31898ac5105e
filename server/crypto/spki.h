#pragma once

#include <string_view>

#include "server/crypto/key.h"

/// SubjectPublicKeyInfo (RFC 5280 4.1.2.7) as octets. Private to this room.
namespace chancery::crypto {

inline constexpr int kMaxRsaBits = 8192;  ///< larger ones are not even looked at: arithmetic on them is what an attacker wants
inline constexpr std::size_t kMaxExponentOctets = 32;  ///< below 2^256 (PROMISES B3)

/// A kind of key that is taken.
struct SpkiKind {
  std::string_view identifier_hex;  ///< DER of the AlgorithmIdentifier, parameters included
  KeySpec spec;                     ///< bits are 0 for RSA: the key says
  std::size_t coordinate_octets;    ///< EC: of x and of y; Ed25519: of the key
  const char* group;                ///< EC: the curve as OpenSSL names it
};

/// One SPKI, taken apart; the views are of the octets given.
struct Spki {
  const SpkiKind* kind = nullptr;
  ByteView key;       ///< content of the BIT STRING: an EC point in the uncompressed form, or an Ed25519 key
  ByteView modulus;   ///< RSA, without leading zeros
  ByteView exponent;  ///< RSA, without leading zeros
};

/// Takes the shortest encoding only (X.690 10.1), and no arithmetic happens.
/// @errors Malformed: not DER, trailing octets; BadKey: kind, curve, point form or size that is not taken.
Result<Spki> read_spki(ByteView der);

Bytes write_rsa_spki(ByteView modulus, ByteView exponent);
/// @param bits 256, 384 or 521. @errors BadKey.
Result<Bytes> write_ec_spki(int bits, ByteView x, ByteView y);
/// @errors BadKey: not 32 octets.
Result<Bytes> write_ed25519_spki(ByteView x);

}  // namespace chancery::crypto
