#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/base/bytes.h"

/// The textual encodings of RFC 7468.
namespace chancery::x509 {

/// "-----BEGIN label-----", 64 characters a line, final newline.
std::string to_pem(std::string_view label, ByteView der);

/// Exactly one block of that label, white space around it allowed.
/// @errors Malformed: no block, several, another label, text around it, no base64.
Result<Bytes> from_pem(std::string_view label, std::string_view text);

/// All blocks of a text, each of that label; explanatory text between blocks is skipped (RFC 7468 2).
/// @errors Malformed, TooLarge: above max blocks.
Result<std::vector<Bytes>> all_from_pem(std::string_view label, std::string_view text, std::size_t max);

inline constexpr std::string_view kCertificateLabel = "CERTIFICATE";
inline constexpr std::string_view kRequestLabel = "CERTIFICATE REQUEST";
inline constexpr std::string_view kCrlLabel = "X509 CRL";

}  // namespace chancery::x509
