#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/crypto/key.h"
#include "server/x509/crl.h"

/// What other programs issued, for history's sake: read by OpenSSL, which takes forms that our own readers refuse (version 1,
/// SHA-1, short keys, CRLs without a number). Nothing that is signed is made of it.
namespace chancery::x509 {

inline constexpr std::size_t kMaxForeignCrlEntries = 1'000'000;

/// A certificate that another program issued.
struct ForeignCertificate {
  Serial serial;
  Bytes der{};
  std::string subject{};  ///< slash form
  std::string issuer{};   ///< likewise
  std::string cn{};       ///< empty: none
  std::vector<std::string> sans{};
  std::vector<std::string> key_usage{};
  std::vector<std::string> extended_key_usage{};
  bool is_ca = false;
  Seconds not_before{};
  Seconds not_after{};
  Bytes spki{};
  std::string weakness{};  ///< why its key would be refused today; empty: it would not
  std::string misshape{};  ///< what our own reader finds wrong with it; empty: nothing
};

/// @param octets  one PEM block, or DER.
/// @errors Malformed: neither, or its serial is not positive and below 2^159; TooLarge.
Result<ForeignCertificate> read_foreign_certificate(std::string_view octets);

/// Whether the key signed it, whatever the digest.
bool is_signed_by(const ForeignCertificate& certificate, const crypto::PublicKey& issuer);

/// A CRL that another program issued.
struct ForeignCrl {
  bool is_pem = false;
  std::optional<std::uint64_t> number;  ///< uPKI's have none
  Seconds this_update{};
  std::optional<Seconds> next_update;
  std::vector<RevokedEntry> entries;  ///< each serial once, in the order of the serials: the earliest date and the first reason
  std::size_t repeated = 0;           ///< entries that named a serial once more
  std::vector<std::string> unusable;  ///< serials, hex, that no certificate of today may have: negative, zero, above 20 octets
  bool is_delta = false;              ///< it says what changed since another one (RFC 5280 5.2.4)
  std::size_t indirect = 0;           ///< entries of another issuer's certificates (5.3.3), which are left out
};

/// @param octets  PEM or DER, told apart by what they are.
/// @errors Malformed: neither; BadProof: that key did not sign it; TooLarge.
Result<ForeignCrl> read_foreign_crl(std::string_view octets, const crypto::PublicKey& issuer);

}  // namespace chancery::x509
