#pragma once

#include "server/crypto/key.h"

namespace chancery::crypto {

/// The DER of an AlgorithmIdentifier (RFC 5280 4.1.1.2), parameters as RFC 4055, 5758 and 8410 want them.
Bytes algorithm_identifier(SignatureAlgorithm algorithm);
/// Reads one back, octet for octet: anything else, as SHA-1, MD5 or RSASSA-PSS, is @errors Unsupported.
Result<SignatureAlgorithm> algorithm_from_identifier(ByteView der);
std::string_view to_text(SignatureAlgorithm algorithm);

/// ECDSA signatures: r and s side by side, each of the field's length (RFC 7518 3.4), and ECDSA-Sig-Value (RFC 3279 2.2.3).
/// @errors Malformed.
Result<Bytes> ecdsa_raw_to_der(ByteView raw);
/// @param octets  length of the result, twice the field's: 64, 96 or 132.
Result<Bytes> ecdsa_der_to_raw(ByteView der, std::size_t octets);

}  // namespace chancery::crypto
