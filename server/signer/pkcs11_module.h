#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/base/bytes.h"
#include "server/config/keys.h"
#include "server/signer/token_place.h"

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
  /// Of the token, as it says it itself. @pre log_in
  virtual std::string serial() const = 0;
  /// The ids (CKA_ID) of the private keys of that name, which may be several. @errors Unavailable.
  virtual Result<std::vector<Bytes>> ids(const KeyName& name) = 0;
  /// Looks for the private key, whether or not it was found before. @errors Unavailable: none, or several.
  virtual Status find_key(const KeyName& name) = 0;
  /// Makes a key that never leaves the token. @param ec_bits  of a curve; 0: RSA @errors Exists; Unavailable.
  virtual Status make_key(const KeyName& name, int ec_bits, int rsa_bits) = 0;
  /// @errors those of find_key; Unavailable: the token has no public half of it.
  virtual Result<PublicNumbers> public_numbers(const KeyName& name) = 0;
  /// @param data  a DigestInfo (RFC 8017 9.2) or a digest. @return the signature as the token gives it: r and s side by side for
  /// ECDSA. @errors those of find_key; Unavailable.
  virtual Result<Bytes> sign(const KeyName& name, Scheme scheme, ByteView data) = 0;
  /// That the token is there, and the login holds. @errors Unavailable.
  virtual Status look() = 0;
};

}  // namespace chancery::signer
