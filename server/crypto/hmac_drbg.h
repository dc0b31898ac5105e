#pragma once

#include "server/base/bytes.h"

/// HMAC_DRBG with SHA-512 (NIST SP 800-90A Rev. 1, 10.1.2), without reseeding and without additional input: a stream of octets
/// that follows from its seed. For keys that are derived, never for random numbers. Private to this room.
namespace chancery::crypto {

class HmacDrbg {
 public:
  /// @param seed_material  entropy input, nonce and personalization string in one (10.1.2.3).
  explicit HmacDrbg(const SecretBytes& seed_material);
  /// One generate request (10.1.2.5): where requests begin and end is part of what comes out.
  SecretBytes generate(std::size_t octets);

 private:
  void update(ByteView data);
  void step(std::uint8_t separator, ByteView data);
  SecretBytes key_;
  SecretBytes value_;
};

}  // namespace chancery::crypto
