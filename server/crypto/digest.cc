#include "server/crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace chancery::crypto {
namespace {

/// For the life of the program: EVP_sha256() and its like are looked for again at each use.
const EVP_MD* fetch(const char* name) {
  const auto* algorithm = EVP_MD_fetch(nullptr, name, nullptr);
  PKI_CHECK(algorithm != nullptr);
  return algorithm;
}

Bytes digest(const EVP_MD* algorithm, ByteView data) {
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)));
  PKI_CHECK(EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm, nullptr) == 1);
  return out;
}

Bytes hmac(const EVP_MD* algorithm, ByteView key, ByteView data) {
  static constexpr unsigned char kNoKey = 0;  // HMAC() takes a null key for "as before"
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)));
  const unsigned char* octets = key.empty() ? &kNoKey : key.data();
  PKI_CHECK(HMAC(algorithm, octets, static_cast<int>(key.size()), data.data(), data.size(), out.data(), nullptr) != nullptr);
  return out;
}

}  // namespace

Bytes sha256(ByteView data) {
  static const EVP_MD* const kSha256 = fetch("SHA256");
  return digest(kSha256, data);
}

std::string sha256_hex(ByteView data) { return base::to_hex(sha256(data)); }

Bytes sha384(ByteView data) {
  static const EVP_MD* const kSha384 = fetch("SHA384");
  return digest(kSha384, data);
}

Bytes sha1_name(ByteView data) { return digest(EVP_sha1(), data); }

Bytes sha512(ByteView data) {
  static const EVP_MD* const kSha512 = fetch("SHA512");
  return digest(kSha512, data);
}

Bytes hmac_sha256(ByteView key, ByteView data) { return hmac(EVP_sha256(), key, data); }
Bytes hmac_sha384(ByteView key, ByteView data) { return hmac(EVP_sha384(), key, data); }
Bytes hmac_sha512(ByteView key, ByteView data) { return hmac(EVP_sha512(), key, data); }

}  // namespace chancery::crypto
