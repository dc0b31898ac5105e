#include "clients/acme/nonce.h"

#include "clients/acme/problems.h"

namespace chancery::acme {
namespace {

constexpr std::size_t kKeyOctets = 32;
constexpr std::size_t kCounterOctets = 8;
constexpr std::size_t kMacOctets = 16;  ///< 128 bits of HMAC-SHA-256

Bytes encode(std::uint64_t counter) {
  Bytes octets(kCounterOctets);
  for (std::size_t i = 0; i < kCounterOctets; ++i)
    octets[i] = static_cast<std::uint8_t>(counter >> (8 * (kCounterOctets - 1 - i)));
  return octets;
}

std::uint64_t decode(ByteView octets) {
  std::uint64_t counter = 0;
  for (const auto octet : octets) counter = counter << 8 | octet;
  return counter;
}

Error bad_nonce(const char* what) { return acme_error("badNonce", what); }

}  // namespace

Nonces::Nonces(std::size_t window) : mac_(base::random_bytes(kKeyOctets)), next_(window), used_(window, false) {}

/// The counter, then its MAC.
Bytes Nonces::seal(std::uint64_t counter, std::string_view realm) const {
  Bytes sealed = encode(counter);
  Bytes message = sealed;
  message.insert(message.end(), realm.begin(), realm.end());
  const auto mac = mac_(message);
  sealed.insert(sealed.end(), mac.begin(), mac.begin() + kMacOctets);
  return sealed;
}

std::string Nonces::make(std::string_view realm) {
  std::uint64_t counter = 0;
  {
    const std::lock_guard lock(mutex_);
    counter = next_++;
    used_[counter % used_.size()] = false;
  }
  return base::to_base64url(seal(counter, realm));
}

Status Nonces::use(std::string_view nonce, std::string_view realm) {
  const auto sealed = base::from_base64url(nonce);
  if (!sealed.ok() || sealed->size() != kCounterOctets + kMacOctets) return bad_nonce("the nonce is none of this server");
  const auto counter = decode(ByteView(*sealed).first(kCounterOctets));
  if (!base::equal_in_constant_time(*sealed, seal(counter, realm))) return bad_nonce("the nonce is none of this server");
  const std::lock_guard lock(mutex_);
  if (next_ - counter > used_.size()) return bad_nonce("the nonce is too old");
  if (used_[counter % used_.size()]) return bad_nonce("the nonce was used already");
  used_[counter % used_.size()] = true;
  return {};
}

}  // namespace chancery::acme
