#pragma once

#include <string_view>

#include "server/x509/certificate.h"

namespace chancery::x509 {

inline constexpr std::size_t kMaxSignatureBytes = 64 * 1024;

/// Who signed a request on behalf of its subject: a detached SignedData (RFC 5652 5) over the request's DER, of one signer, whose
/// certificate is in it. Whether that certificate may is the caller's to say.
///
/// @param pem  one block "CMS" or "PKCS7"
/// @errors Malformed: no such thing; TooLarge; BadProof: the signature does not fit; Unsupported: neither SHA-2 digest.
Result<Certificate> signer_of(ByteView request_der, std::string_view pem);

}  // namespace chancery::x509
