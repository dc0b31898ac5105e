#include <openssl/core_names.h>

#include <array>

#include "server/crypto/key.h"

namespace chancery::crypto {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr unsigned long kMinExponent = 65537;
constexpr int kMaxExponentBits = 256;
constexpr unsigned kSmallFactorLimit = 752;  // SP 800-89 5.3.3 (e)

Error bad(std::string what) { return Error(Code::BadKey, std::move(what)); }

BignumPtr number(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return nullptr;
  return BignumPtr(raw);
}

bool has_small_factor(const BIGNUM* modulus) {
  for (unsigned candidate = 2; candidate < kSmallFactorLimit; ++candidate) {
    if (BN_mod_word(modulus, candidate) == 0) return true;
  }
  return false;
}

Status check_rsa(const EVP_PKEY* key) {
  const auto modulus = number(key, OSSL_PKEY_PARAM_RSA_N);
  const auto exponent = number(key, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent) return bad("RSA key without modulus or exponent");
  const int bits = BN_num_bits(modulus.get());
  if (bits < kMinRsaBits || bits > kMaxRsaBits || bits % 8 != 0) {
    return bad("RSA modulus of " + std::to_string(bits) + " bits, expected 2048 to 8192 in steps of 8");
  }
  const int exponent_bits = BN_num_bits(exponent.get());
  if (exponent_bits > kMaxExponentBits)
    return bad("RSA exponent of " + std::to_string(exponent_bits) + " bits, expected < 2^256");
  const bool is_small = exponent_bits <= 17 && BN_get_word(exponent.get()) < kMinExponent;
  if (is_small || !BN_is_odd(exponent.get())) return bad("RSA exponent is even or below 65537");
  if (has_small_factor(modulus.get())) return bad("RSA modulus has a factor below 752");
  return {};
}

Status check_ec(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) return bad("EC key without a named curve");
  const std::string_view curve(name.data(), length);
  if (curve == SN_X9_62_prime256v1 || curve == SN_secp384r1 || curve == SN_secp521r1) return {};
  return bad("EC curve " + std::string(curve) + ", expected P-256, P-384 or P-521");
}

}  // namespace

Status check_public_key(const PublicKey& key) {
  if (key.empty()) return bad("no key");
  if (key.spec().kind == KeySpec::Kind::Rsa) PKI_TRY_VOID(check_rsa(key.get()));
  if (key.spec().kind == KeySpec::Kind::Ec) PKI_TRY_VOID(check_ec(key.get()));
  const PkeyContextPtr context(EVP_PKEY_CTX_new(key.get(), nullptr));
  PKI_CHECK(context != nullptr);
  if (EVP_PKEY_public_check(context.get()) != 1) return bad("the public key does not hold its own equation");
  return {};
}

}  // namespace chancery::crypto
