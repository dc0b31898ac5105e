#pragma once

#include <string>
#include <vector>

#include "server/crypto/key.h"
#include "server/x509/certificate.h"

/// What a registration authority's key does in CMS (RFC 5652), as SCEP wants it (RFC 8894 3).
namespace chancery::x509 {

inline constexpr std::size_t kMaxRaMessageBytes = 49152;  ///< in base64 it fits into a parameter of a command
inline constexpr std::size_t kMostSignedAttributes = 20;

/// One signed attribute of one value (RFC 5652 5.3).
struct SignedAttribute {
  std::string oid;  ///< dotted
  Bytes value;      ///< DER of the value: a PrintableString, UTF8String, IA5String or OCTET STRING
};

/// The content of an EnvelopedData for that certificate. Whatever keeps it from being opened is one error: what differs between
/// the reasons would help who tries ciphertexts one after the other (RFC 3218).
/// @errors TooLarge; Malformed: no EnvelopedData; BadProof: it cannot be opened with this key.
Result<Bytes> open_enveloped(ByteView der, const crypto::PrivateKey& key, const Certificate& own);

/// A SignedData over the content with those signed attributes beside the usual ones, with SHA-256 and the certificate in it. It
/// is verified with the public key before it is given away (PROMISES F23).
/// @errors TooLarge; Malformed: an attribute that is none, comes twice or is CMS's own to set.
Result<Bytes> sign_content(ByteView content, const std::vector<SignedAttribute>& attributes, const crypto::PrivateKey& key,
                           const Certificate& own);

}  // namespace chancery::x509
