#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/bytes.h"
#include "server/crypto/hmac.h"

namespace chancery::acme {

/// Replay nonces (RFC 8555 6.5): unforgeable, single-use, of one realm. A nonce is a counter under a MAC of a key that this
/// process made at its start; which of the last `window` counters are used up is a ring of bits, so that memory is bounded
/// whatever clients do: a nonce older than the window counts as used.
class Nonces {
 public:
  static constexpr std::size_t kWindow = 1U << 18;  ///< nonces that can be outstanding: 32 kB of bits

  explicit Nonces(std::size_t window = kWindow);

  /// A fresh one, base64url. Any thread.
  std::string make(std::string_view realm);
  /// Uses it up. @errors badNonce: not of this process and realm, used already, or too old. Any thread.
  Status use(std::string_view nonce, std::string_view realm);

 private:
  Bytes seal(std::uint64_t counter, std::string_view realm) const;

  crypto::HmacSha256 mac_;
  std::mutex mutex_;
  std::uint64_t next_;
  std::vector<bool> used_;  ///< by counter modulo its size
};

}  // namespace chancery::acme
