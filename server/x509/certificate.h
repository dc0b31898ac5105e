#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/crypto/key.h"
#include "server/x509/extension.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

namespace chancery::x509 {

inline constexpr std::size_t kMaxCertificateBytes = 64 * 1024;
inline constexpr std::size_t kMaxChain = 8;

/// An X.509 v3 certificate (RFC 5280 4), read once, immutable; copies share.
class Certificate {
 public:
  /// Exactly one block. @errors as from_der.
  static Result<Certificate> from_pem(std::string_view pem);
  /// @errors Malformed, TooLarge, BadKey, Unsupported: algorithms outside the table.
  static Result<Certificate> from_der(ByteView der);
  /// One certificate or more, at most kMaxChain. @errors Malformed.
  static Result<std::vector<Certificate>> from_pem_chain(std::string_view pem);

  ByteView der() const;
  std::string pem() const;
  ByteView tbs() const;
  ByteView signature() const;
  crypto::SignatureAlgorithm algorithm() const;

  const Serial& serial() const;
  const Name& subject() const;
  const Name& issuer() const;
  ByteView subject_der() const;  ///< octet for octet
  ByteView issuer_der() const;
  Seconds not_before() const;
  Seconds not_after() const;
  const std::vector<GeneralName>& sans() const;
  const std::vector<std::string>& key_usage() const;           ///< "digitalSignature", … in the order of the bits
  const std::vector<std::string>& extended_key_usage() const;  ///< "serverAuth", … or dotted OIDs
  bool is_ca() const;
  std::optional<int> path_length() const;
  ByteView subject_key_id() const;    ///< empty when absent
  ByteView authority_key_id() const;  ///< empty when absent
  /// The subject key identifier; for a CA certificate without one (RFC 5280 wants it, older roots lack it) the one that its
  /// key would get here. What AKI extensions of what it signs hold.
  Bytes key_id() const;
  const crypto::PublicKey& public_key() const;
  const std::vector<Extension>& extensions() const;
  std::string fingerprint_hex() const;  ///< SHA-256 of the DER

  /// Issuer name byte-equal to the issuer's subject, and signed by its key. Dates and CA flags are the caller's to check.
  /// @errors BadProof.
  Status verify_signed_by(const Certificate& issuer) const;

  bool operator==(const Certificate& other) const;

 private:
  struct Parts;
  explicit Certificate(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  static Status read_tbs(Parts& parts);
  static Status read_known_extensions(Parts& parts);
  std::shared_ptr<const Parts> parts_;
};

/// All CERTIFICATE blocks of a text, at least one. @errors Malformed, TooLarge: above max.
Result<std::vector<Certificate>> certificates_from_pem(std::string_view text, std::size_t max);

}  // namespace chancery::x509
