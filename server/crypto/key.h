#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "server/base/bytes.h"
#include "server/base/key_spec.h"
#include "server/crypto/handles.h"

namespace chancery::crypto {

using base::KeySpec;

/// How something is signed: key kind and digest. RSA is PKCS #1 v1.5 (RFC 8017 8.2), as the Web PKI signs.
enum class SignatureAlgorithm { EcdsaSha256, EcdsaSha384, EcdsaSha512, RsaSha256, RsaSha384, RsaSha512, Ed25519 };

/// The algorithm for a key and "sha256", "sha384" or "sha512" (any case); Ed25519 has its digest built in.
/// @errors Malformed: no such digest.
Result<SignatureAlgorithm> algorithm_for(const KeySpec& spec, std::string_view digest);

inline constexpr std::size_t kMaxSpkiBytes = 4096;
inline constexpr std::size_t kMaxKeyPemBytes = 64 * 1024;

/// A public key: its SubjectPublicKeyInfo (RFC 5280 4.1.2.7), octet for octet as received, and OpenSSL's object.
/// Copies share. A default-constructed one is empty: it verifies nothing and check_public_key refuses it.
class PublicKey {
 public:
  PublicKey() = default;
  /// Sizes and kinds are checked before any arithmetic; the rest is check_public_key's.
  /// @errors Malformed: not DER, trailing octets; BadKey: kind, curve or size that is not taken.
  static Result<PublicKey> from_spki(ByteView der);
  /// Big-endian modulus and exponent. @errors BadKey.
  static Result<PublicKey> from_rsa(ByteView n, ByteView e);
  /// @param bits 256, 384 or 521. @param x, y big-endian, of the field's full length. @errors BadKey: also off the curve.
  static Result<PublicKey> from_ec(int bits, ByteView x, ByteView y);
  /// 32 octets (RFC 8032 5.1.5). @errors BadKey.
  static Result<PublicKey> from_ed25519(ByteView x);

  bool empty() const { return key_ == nullptr; }
  ByteView spki() const { return spki_; }
  const KeySpec& spec() const { return spec_; }
  std::string spki_sha256_hex() const;
  /// @errors BadProof: the signature is not this key's over the message, or the algorithm is not one of this key.
  Status verify(SignatureAlgorithm algorithm, ByteView message, ByteView signature) const;
  EVP_PKEY* get() const { return key_.get(); }

  bool operator==(const PublicKey& other) const { return spki_ == other.spki_; }

 private:
  Bytes spki_;
  KeySpec spec_;
  std::shared_ptr<EVP_PKEY> key_;
};

/// A private key, in memory. Moves, never copies.
class PrivateKey {
 public:
  /// @param enough  when it becomes true, an RSA pair that is not found yet is given up. @errors BadKey; Closed: given up.
  static Result<PrivateKey> generate(const KeySpec& spec, const std::atomic<bool>* enough = nullptr);
  /// PKCS#8, plain or encrypted, or the older forms of one key kind. @param passphrase null: only an unencrypted key is read.
  /// @errors Malformed; AuthFailed: encrypted, and the passphrase is missing or wrong; BadKey.
  static Result<PrivateKey> from_pem(ByteView pem, const SecretBytes* passphrase);
  /// One that another process of this server has just made and written with to_pem. Whether its numbers are prime is not tested
  /// again, which would take as long as making it. @errors Malformed.
  static Result<PrivateKey> from_own_pem(ByteView pem);

  /// PKCS#8 in the clear (RFC 5208 5).
  SecretBytes to_pem() const;
  /// PKCS#8 with PBES2 (RFC 8018 6.2): AES-256-CBC, PBKDF2 with HMAC-SHA-256 and kPbkdf2Iterations.
  /// @errors InvalidParams: empty passphrase.
  Result<std::string> to_encrypted_pem(const SecretBytes& passphrase) const;
  /// @errors BadKey: the algorithm is not one of this key.
  Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView message) const;
  PublicKey public_key() const { return public_; }
  EVP_PKEY* get() const { return key_.get(); }

 private:
  PrivateKey(PkeyPtr key, PublicKey half) : key_(std::move(key)), public_(std::move(half)) {}
  static Result<PrivateKey> adopt(PkeyPtr key);

  PkeyPtr key_;
  PublicKey public_;
};

inline constexpr int kPbkdf2Iterations = 600'000;

/// From here on the private numbers of this process's keys lie in memory of their own: between guard pages, and locked (never
/// swapped) as far as RLIMIT_MEMLOCK allows. Call once, before the first key. @param octets  a power of two; a key that finds no
/// room there cannot be made. @return whether it is locked.
bool keep_keys_apart(std::size_t octets);

/// The one check that every foreign key passes (PROMISES B2, F32): RSA 2048 to 8192 bits in steps of 8, exponent odd, at least
/// 65537 and below 2^256, no factor below 752, neither ROCA nor close primes (B3, B4); EC on P-256, P-384 or P-521 by name, on
/// the curve and not infinity; Ed25519. What passed is remembered, so asking again is cheap.
/// @errors BadKey.
Status check_public_key(const PublicKey& key);

}  // namespace chancery::crypto
