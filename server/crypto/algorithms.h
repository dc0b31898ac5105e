#pragma once

#include <array>

#include "server/crypto/key.h"

namespace chancery::crypto {

/// The one table of signature algorithms.
struct AlgorithmRow {
  SignatureAlgorithm algorithm;
  std::string_view text;
  KeySpec::Kind kind;
  std::string_view digest;          ///< as OpenSSL names it; empty for Ed25519
  std::string_view identifier_hex;  ///< DER of the AlgorithmIdentifier
};

inline constexpr std::array kAlgorithms{
    AlgorithmRow{SignatureAlgorithm::EcdsaSha256, "ecdsa-with-SHA256", KeySpec::Kind::Ec, "SHA256",
                 "300a06082a8648ce3d040302"},  // RFC 5758 3.2
    AlgorithmRow{SignatureAlgorithm::EcdsaSha384, "ecdsa-with-SHA384", KeySpec::Kind::Ec, "SHA384", "300a06082a8648ce3d040303"},
    AlgorithmRow{SignatureAlgorithm::EcdsaSha512, "ecdsa-with-SHA512", KeySpec::Kind::Ec, "SHA512", "300a06082a8648ce3d040304"},
    AlgorithmRow{SignatureAlgorithm::RsaSha256, "sha256WithRSAEncryption", KeySpec::Kind::Rsa, "SHA256",
                 "300d06092a864886f70d01010b0500"},  // RFC 4055 5
    AlgorithmRow{SignatureAlgorithm::RsaSha384, "sha384WithRSAEncryption", KeySpec::Kind::Rsa, "SHA384",
                 "300d06092a864886f70d01010c0500"},
    AlgorithmRow{SignatureAlgorithm::RsaSha512, "sha512WithRSAEncryption", KeySpec::Kind::Rsa, "SHA512",
                 "300d06092a864886f70d01010d0500"},
    AlgorithmRow{SignatureAlgorithm::Ed25519, "Ed25519", KeySpec::Kind::Ed25519, "", "300506032b6570"},  // RFC 8410 3
};

const AlgorithmRow& describe(SignatureAlgorithm algorithm);

/// The digest by OpenSSL's table; null for Ed25519.
const EVP_MD* digest_of(const AlgorithmRow& row);

}  // namespace chancery::crypto
