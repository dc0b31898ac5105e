#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/bytes.h"
#include "server/crypto/key.h"

namespace chancery::x509 {

/// One Extension (RFC 5280 4.2).
struct Extension {
  std::string oid;
  bool critical = false;
  Bytes value;  ///< the content of extnValue
};

inline constexpr std::string_view kSubjectKeyId = "2.5.29.14", kKeyUsage = "2.5.29.15", kSubjectAltName = "2.5.29.17",
                                  kBasicConstraints = "2.5.29.19", kCrlNumber = "2.5.29.20", kDeltaCrlIndicator = "2.5.29.27",
                                  kFreshestCrl = "2.5.29.46", kReasonCode = "2.5.29.21", kNameConstraints = "2.5.29.30",
                                  kCrlDistributionPoints = "2.5.29.31", kAuthorityKeyId = "2.5.29.35",
                                  kExtendedKeyUsage = "2.5.29.37", kAuthorityInfoAccess = "1.3.6.1.5.5.7.1.1",
                                  kOcspNoCheck = "1.3.6.1.5.5.7.48.1.5";

/// Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }
Bytes encode_extension(std::string_view oid, bool critical, ByteView value);
/// SEQUENCE OF Extension, whole. @errors Malformed: also an extension twice, or none at all.
Result<std::vector<Extension>> read_extensions(ByteView sequence);
/// Null when absent.
const Extension* find_extension(const std::vector<Extension>& extensions, std::string_view oid);

/// KeyUsage in the order of its bits (RFC 5280 4.2.1.3).
inline constexpr std::array<std::string_view, 9> kKeyUsages{"digitalSignature", "nonRepudiation", "keyEncipherment",
                                                            "dataEncipherment", "keyAgreement",   "keyCertSign",
                                                            "cRLSign",          "encipherOnly",   "decipherOnly"};
/// Those of the names that a kind of key may have, in their order: RSA agrees on no key (RFC 4055 1.2), EC encrypts nothing
/// (RFC 8813 3), Ed25519 only signs (RFC 8410 5).
std::vector<std::string> key_usage_for(crypto::KeySpec::Kind kind, const std::vector<std::string>& names);

Result<Bytes> encode_key_usage(const std::vector<std::string>& names);
Result<std::vector<std::string>> decode_key_usage(ByteView value);

/// Names of the table or dotted OIDs (RFC 5280 4.2.1.12).
Result<Bytes> encode_extended_key_usage(const std::vector<std::string>& names);
Result<std::vector<std::string>> decode_extended_key_usage(ByteView value);

/// AuthorityKeyIdentifier of keyIdentifier alone.
Bytes encode_authority_key_id(ByteView key_id);
/// Empty when it holds no keyIdentifier.
Result<Bytes> decode_authority_key_id(ByteView value);

/// A URI as GeneralName (RFC 5280 4.2.1.6). @errors those of GeneralName::parse.
Result<Bytes> encode_uri(const std::string& text);
/// CRLDistributionPoints (RFC 5280 4.2.1.13, 4.2.1.15): one point a URL, fullName alone. @errors those of encode_uri.
Result<Bytes> encode_distribution_points(const std::vector<std::string>& urls);

/// What surrounds every signed object: SEQUENCE { to be signed, AlgorithmIdentifier, BIT STRING }.
struct SignedParts {
  ByteView tbs;
  ByteView identifier;  ///< DER of the outer AlgorithmIdentifier
  crypto::SignatureAlgorithm algorithm{};
  ByteView signature;
};
/// @errors Malformed, Unsupported: an algorithm outside the table.
Result<SignedParts> read_signed(ByteView der);

}  // namespace chancery::x509
