#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/x509/certificate.h"
#include "server/x509/reasons.h"

namespace chancery::x509 {

inline constexpr std::size_t kMaxCrlBytes = 64 * 1024 * 1024;

/// One row of revokedCertificates (RFC 5280 5.1.2.6).
struct RevokedEntry {
  Serial serial;
  Seconds revoked_at{};
  int reason = kReasonUnspecified;
  bool operator==(const RevokedEntry&) const = default;
};

/// What decides the octets of one TBSCertList (RFC 5280 5.1).
struct CrlSpec {
  Certificate issuer;
  crypto::SignatureAlgorithm algorithm{};
  std::uint64_t number = 0;
  Seconds this_update{};
  Seconds next_update{};
  std::vector<RevokedEntry> entries{};    ///< any order; written in the order of the serials
  std::optional<std::uint64_t> base{};    ///< of a delta CRL: the number of the full one that it adds to (5.2.4)
  std::vector<std::string> delta_urls{};  ///< of a full CRL: where its delta CRLs are (5.2.6)
};

/// Version 2 with authorityKeyIdentifier and cRLNumber; reasonCode left out for unspecified (5.3.1).
/// @errors InvalidParams: a reason outside the table, a serial twice, an empty period.
Result<Bytes> build_crl_tbs(const CrlSpec& spec);

/// A CRL, read.
class Crl {
 public:
  static Result<Crl> from_pem(std::string_view pem);
  /// @errors Malformed, TooLarge, Unsupported: an algorithm, or a critical extension.
  static Result<Crl> from_der(ByteView der);

  ByteView der() const { return der_; }
  ByteView tbs() const { return tbs_; }
  std::string pem() const;
  ByteView issuer_der() const { return issuer_der_; }
  std::uint64_t number() const { return number_; }
  /// Of a delta CRL: the number of the full one that it adds to; none: this is a full one (5.2.4).
  std::optional<std::uint64_t> base() const { return base_; }
  Seconds this_update() const { return this_update_; }
  Seconds next_update() const { return next_update_; }
  ByteView authority_key_id() const { return authority_key_id_; }
  const std::vector<RevokedEntry>& entries() const { return entries_; }
  crypto::SignatureAlgorithm algorithm() const { return algorithm_; }
  /// @errors BadProof.
  Status verify_signed_by(const Certificate& issuer) const;

 private:
  Status read_tbs();
  Status read_extensions(ByteView extensions);

  Bytes der_;
  Bytes tbs_;
  Bytes signature_;
  Bytes issuer_der_;
  Bytes authority_key_id_;
  crypto::SignatureAlgorithm algorithm_{};
  std::uint64_t number_ = 0;
  std::optional<std::uint64_t> base_;
  Seconds this_update_{};
  Seconds next_update_{};
  std::vector<RevokedEntry> entries_;
};

}  // namespace chancery::x509
