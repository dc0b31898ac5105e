#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/base/bytes.h"
#include "server/config/keys.h"

namespace chancery::signer {

/// A vendor's PKCS #11 module (OASIS PKCS #11 3.0), loaded into this process: only ever into the token's own (token_process.h),
/// since its code can do there what it likes. The one door to pkcs11.h. One session, one thread.
class Pkcs11Module {
 public:
  /// What the signer makes a public key of: RSA's modulus and exponent, or a point of a curve of `bits`.
  struct PublicNumbers {
    int bits = 0;  ///< of an EC key; 0: RSA
    Bytes first;   ///< modulus, or x
    Bytes second;  ///< exponent, or y
  };
  enum class Scheme : std::uint8_t { RsaPkcs1, Ecdsa };

  /// Loads and initialises. @errors NotFound: the module; Unsupported: no PKCS #11 module, or it does not start.
  static Result<std::unique_ptr<Pkcs11Module>> load(const config::TokenConfig& config);
  virtual ~Pkcs11Module() = default;

  /// Finds the token and logs in. @errors Unavailable: no such token, several, or it is broken; AuthFailed: the PIN is wrong;
  /// Denied: the token takes no PIN now, or has a single try left, which is left to people.
  virtual Status log_in(const SecretBytes& pin) = 0;
  /// Finds the private key. @errors Unavailable: none, or several.
  virtual Status find_key() = 0;
  /// Makes a key that never leaves the token. @param bits  of an EC curve; 0: RSA @errors Exists; Unavailable.
  virtual Status make_key(int ec_bits, int rsa_bits) = 0;
  /// @pre find_key. @errors Unavailable: the token has no public half of it.
  virtual Result<PublicNumbers> public_numbers() = 0;
  /// @param data  a DigestInfo (RFC 8017 9.2) or a digest. @return the signature as the token gives it: r and s side by side for
  /// ECDSA. @errors Unavailable.
  virtual Result<Bytes> sign(Scheme scheme, ByteView data) = 0;
  /// That token and key are still there. @errors Unavailable.
  virtual Status look() = 0;
};

}  // namespace chancery::signer
