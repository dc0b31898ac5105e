#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "server/crypto/key.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

namespace chancery::x509 {

inline constexpr std::size_t kMaxRequestBytes = 64 * 1024;

/// A PKCS#10 request (RFC 2986 4), checked on the way in: DER without trailing octets, version 0, a signature algorithm that is
/// taken, one subjectAltName at most (PROMISES F32).
class Csr {
 public:
  /// Exactly one block "CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST". @errors as from_der.
  static Result<Csr> from_pem(std::string_view pem);
  /// @errors Malformed, TooLarge, BadKey: kind or size of the key; Unsupported: SHA-1, MD5, RSASSA-PSS and their like.
  static Result<Csr> from_der(ByteView der);

  ByteView der() const { return der_; }
  const Name& subject() const { return subject_; }
  const std::vector<GeneralName>& sans() const { return sans_; }
  const crypto::PublicKey& public_key() const { return key_; }
  /// The challenge password (RFC 2985 5.4.1), whatever octets it has; empty: there is none. @errors Malformed: several, or not a
  /// text of 1 to 255 octets.
  Result<SecretBytes> challenge_password() const;
  /// The self-signature (PROMISES C12). @errors BadProof.
  Status verify_possession() const;

 private:
  Bytes der_;
  Bytes info_;  ///< CertificationRequestInfo, what is signed
  Bytes signature_;
  crypto::SignatureAlgorithm algorithm_{};
  Name subject_;
  std::vector<GeneralName> sans_;
  crypto::PublicKey key_;
};

/// Makes a request for a key of our own; DER. @errors Malformed: subject or names.
Result<Bytes> make_csr(const crypto::PrivateKey& key, const Name& subject, const std::vector<GeneralName>& sans);
/// The same for a key that is elsewhere.
using SignFunction = std::function<Result<Bytes>(crypto::SignatureAlgorithm, ByteView)>;
Result<Bytes> make_csr(const crypto::PublicKey& half, const SignFunction& sign, const Name& subject,
                       const std::vector<GeneralName>& sans);

}  // namespace chancery::x509
