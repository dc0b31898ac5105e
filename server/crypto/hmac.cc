#include "server/crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <string>

#include "server/base/result.h"
#include "server/crypto/handles.h"

namespace chancery::crypto {
namespace {

using MacPtr = std::unique_ptr<EVP_MAC, Freer<&EVP_MAC_free>>;
using MacContextPtr = std::unique_ptr<EVP_MAC_CTX, Freer<&EVP_MAC_CTX_free>>;

constexpr std::size_t kSha256Octets = 32;

MacContextPtr make_keyed(ByteView key) {
  const MacPtr algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacContextPtr context(EVP_MAC_CTX_new(algorithm.get()));
  std::string digest = "SHA256";
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  PKI_CHECK(context != nullptr && EVP_MAC_init(context.get(), key.data(), key.size(), params.data()) == 1);
  return context;
}

}  // namespace

struct HmacSha256::Keyed {
  MacContextPtr context;
};

HmacSha256::HmacSha256(ByteView key) : keyed_(std::make_unique<const Keyed>(Keyed{make_keyed(key)})) { PKI_CHECK(!key.empty()); }
HmacSha256::~HmacSha256() = default;

Bytes HmacSha256::operator()(ByteView data) const {
  const MacContextPtr copy(EVP_MAC_CTX_dup(keyed_->context.get()));
  Bytes out(kSha256Octets);
  std::size_t length = 0;
  PKI_CHECK(copy != nullptr && EVP_MAC_update(copy.get(), data.data(), data.size()) == 1 &&
            EVP_MAC_final(copy.get(), out.data(), &length, out.size()) == 1 && length == out.size());
  return out;
}

}  // namespace chancery::crypto
