#include "server/crypto/hmac_drbg.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace chancery::crypto {
namespace {

constexpr std::size_t kOctets = 64;

SecretBytes hmac(const SecretBytes& key, ByteView data) {
  Bytes out(kOctets);
  PKI_CHECK(HMAC(EVP_sha512(), key.view().data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(), nullptr) !=
            nullptr);
  return SecretBytes(std::move(out));
}

}  // namespace

HmacDrbg::HmacDrbg(const SecretBytes& seed_material) : key_(Bytes(kOctets, 0x00)), value_(Bytes(kOctets, 0x01)) {
  update(seed_material.view());
}

void HmacDrbg::step(std::uint8_t separator, ByteView data) {
  Bytes text;
  text.reserve(value_.size() + 1 + data.size());  // no copy of it is left behind by growing
  text.insert(text.end(), value_.view().begin(), value_.view().end());
  text.push_back(separator);
  text.insert(text.end(), data.begin(), data.end());
  const SecretBytes whole(std::move(text));
  key_ = hmac(key_, whole.view());
  value_ = hmac(key_, value_.view());
}

/// 10.1.2.2.
void HmacDrbg::update(ByteView data) {
  step(0x00, data);
  if (!data.empty()) step(0x01, data);
}

SecretBytes HmacDrbg::generate(std::size_t octets) {
  Bytes out(octets);
  for (std::size_t done = 0; done < octets; done += kOctets) {
    value_ = hmac(key_, value_.view());
    const auto count = std::min(kOctets, octets - done);
    std::ranges::copy(value_.view().first(count), out.begin() + static_cast<std::ptrdiff_t>(done));
  }
  update({});
  return SecretBytes(std::move(out));
}

}  // namespace chancery::crypto
