#pragma once

#include <string>

#include "server/base/bytes.h"

namespace chancery::crypto {

/// FIPS 180-4.
Bytes sha256(ByteView data);
Bytes sha384(ByteView data);
Bytes sha512(ByteView data);
/// SHA-256 in lowercase hexadecimal digits, as lists and logs name octets.
std::string sha256_hex(ByteView data);
/// SHA-1, where a standard names something by it (RFC 6960 4.1.1, 4.2.1): it proves nothing (PROMISES B5).
Bytes sha1_name(ByteView data);

/// RFC 2104 with SHA-256; 32 octets.
Bytes hmac_sha256(ByteView key, ByteView data);
/// The same with SHA-384 and SHA-512; 48 and 64 octets.
Bytes hmac_sha384(ByteView key, ByteView data);
Bytes hmac_sha512(ByteView key, ByteView data);

}  // namespace chancery::crypto
