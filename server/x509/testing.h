#pragma once

#include <string>
#include <vector>

#include "server/x509/lint.h"
#include "server/x509/tbs.h"

/// What the tests of this room share: a root, a leaf, and what lints them.
namespace chancery::x509::testing {

inline constexpr auto kAlgorithm = crypto::SignatureAlgorithm::EcdsaSha256;

const crypto::PrivateKey& ca_key();
const crypto::PrivateKey& leaf_key();
Bytes spki_of(const crypto::PrivateKey& key);
Seconds at(const char* rfc3339);
GeneralName san(const char* text);

/// A root from 2026 to 2055 with path length 0, its lint, and itself.
TbsSpec ca_spec();
LintContext ca_context();
const Certificate& ca();

/// A server's certificate of 90 days, both ends counted.
TbsSpec leaf_spec();
LintContext leaf_context();

/// Signs with the CA's key whatever it is.
Bytes signed_by_ca(ByteView tbs);
Certificate sign(ByteView tbs);

/// The elements of a SEQUENCE, and one made of them again: for octets that no builder makes.
std::vector<Bytes> elements_of(ByteView sequence);
Bytes sequence_of(const std::vector<Bytes>& elements);

}  // namespace chancery::x509::testing
