#include "server/crypto/derive.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "server/crypto/hmac_drbg.h"

namespace chancery::crypto {
namespace {

SecretBytes secret_of(std::string_view hex) { return SecretBytes(base::from_hex(hex).value()); }

std::string hex_number(const PrivateKey& key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &raw) != 1) return "none";
  const BignumPtr number(raw);
  Bytes octets(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), octets.data());
  return base::to_hex(octets);
}

std::string hex_seed(const PrivateKey& key) {
  Bytes seed(32);
  auto length = seed.size();
  return EVP_PKEY_get_raw_private_key(key.get(), seed.data(), &length) == 1 ? base::to_hex(seed) : "none";
}

std::string part(const PrivateKey& key, const std::string& name) {
  if (name == "seed") return hex_seed(key);
  if (name == "p") return hex_number(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
  if (name == "q") return hex_number(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  if (name == "n") return hex_number(key, OSSL_PKEY_PARAM_RSA_N);
  return hex_number(key, key.public_key().spec().kind == KeySpec::Kind::Ec ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_RSA_D);
}

std::string without_zeros(std::string hex) {
  hex.erase(0, std::min(hex.find_first_not_of('0'), hex.size() - 1));
  return hex;
}

// Made by t/ca_from_secret.py, which shares nothing with derive.cc.
TEST(Derive, GivesThePublishedVectors) {
  std::ifstream file(CHANCERY_SOURCE_DIR "/t/data/ca-from-secret.txt");
  std::set<std::string> kinds;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string secret, realm, kind, word;
    int generation = 0;
    words >> secret >> realm >> kind >> generation;
    const auto key = derive_key(secret_of(secret), {realm, base::parse_key_spec(kind).value(), generation});
    ASSERT_TRUE(key.ok()) << line << key.error().message();
    while (words >> word) {
      const auto name = word.substr(0, word.find('='));
      EXPECT_EQ(without_zeros(part(*key, name)), without_zeros(word.substr(name.size() + 1))) << kind << " " << name;
    }
    kinds.insert(kind);
  }
  EXPECT_EQ(kinds.size(), 5U);
}

TEST(Derive, AnotherPurposeGivesAnotherKey) {
  const auto secret = secret_of(std::string(80, '7'));
  const KeyPurpose purpose{"default", {KeySpec::Kind::Ec, 256}, 1};
  const auto key = derive_key(secret, purpose).value().public_key();
  EXPECT_TRUE(derive_key(secret, purpose).value().public_key() == key);
  for (const auto& other :
       {KeyPurpose{"devices", {KeySpec::Kind::Ec, 256}, 1}, KeyPurpose{"default", {KeySpec::Kind::Ec, 256}, 2},
        KeyPurpose{"defaul", {KeySpec::Kind::Ec, 256}, 1}})
    EXPECT_FALSE(derive_key(secret, other).value().public_key() == key) << other.realm;
}

TEST(Derive, RefusesWhatItCannotDo) {
  const auto secret = secret_of(std::string(64, '7'));
  for (const auto& kind :
       {KeySpec{KeySpec::Kind::Ec, 521}, KeySpec{KeySpec::Kind::Rsa, 2048}, KeySpec{KeySpec::Kind::Rsa, 8192}}) {
    const auto refused = derive_key(secret, {"default", kind, 1});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), Code::InvalidParams);
    EXPECT_NE(refused.error().message().find("ec:P-256, ec:P-384, ed25519, rsa:3072, rsa:4096"), std::string::npos);
  }
  EXPECT_FALSE(derive_key(secret_of(std::string(62, '7')), {"default", {}, 1}).ok());
  EXPECT_FALSE(derive_key(secret_of(""), {"default", {}, 1}).ok());
  EXPECT_FALSE(derive_key(secret, {"default", {}, 0}).ok());
}

// SP 800-90A 10.1.2.5, step 6: the state moves on after each request.
TEST(HmacDrbg, RequestsArePartOfTheStream) {
  HmacDrbg once(secret_of(std::string(96, '1')));
  HmacDrbg twice(secret_of(std::string(96, '1')));
  const auto whole = once.generate(128);
  const auto first = twice.generate(64);
  const auto second = twice.generate(64);
  EXPECT_TRUE(std::ranges::equal(whole.view().first(64), first.view()));
  EXPECT_FALSE(std::ranges::equal(whole.view().subspan(64), second.view()));
}

}  // namespace
}  // namespace chancery::crypto
