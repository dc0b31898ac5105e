#include "server/crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace chancery::crypto {
namespace {

Bytes digest(const EVP_MD* algorithm, ByteView data) {
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)));
  PKI_CHECK(EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm, nullptr) == 1);
  return out;
}

}  // namespace

Bytes sha256(ByteView data) { return digest(EVP_sha256(), data); }
Bytes sha384(ByteView data) { return digest(EVP_sha384(), data); }
Bytes sha512(ByteView data) { return digest(EVP_sha512(), data); }

Bytes hmac_sha256(ByteView key, ByteView data) {
  constexpr std::size_t kOctets = 32;
  static constexpr unsigned char kNoKey = 0;  // HMAC() takes a null key for "as before"
  Bytes out(kOctets);
  const unsigned char* octets = key.empty() ? &kNoKey : key.data();
  PKI_CHECK(HMAC(EVP_sha256(), octets, static_cast<int>(key.size()), data.data(), data.size(), out.data(), nullptr) != nullptr);
  return out;
}

}  // namespace chancery::crypto
