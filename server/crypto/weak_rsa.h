#pragma once

#include "server/crypto/handles.h"

/// RSA moduli whose factors are known how to find (PROMISES B4). Private to this room.
namespace chancery::crypto {

/// 100 rounds of Fermat's method find the factors: the primes lie too close together (CABF BR 6.1.1.3 (5)).
bool has_close_primes(const BIGNUM* modulus);

/// Made by the library of CVE-2017-15361 (ROCA): modulo every small prime it is a power of 65537.
bool has_roca_fingerprint(const BIGNUM* modulus);

}  // namespace chancery::crypto
