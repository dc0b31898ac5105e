#include "server/crypto/derive.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

#include <array>

#include "server/crypto/hmac_drbg.h"

namespace chancery::crypto {
namespace {

constexpr std::string_view kSalt = "Chancery CA key, version 1";
constexpr BN_ULONG kExponent = 65537;
constexpr int kExtraBits = 64;           ///< FIPS 186-5 A.2.1: so many more than the order has, so that no scalar is likelier
constexpr std::size_t kDrbgSeed = 96;    ///< 512 bits of entropy input, then a nonce of 256
constexpr int kLeastDistanceBits = 100;  ///< FIPS 186-5 A.1.3: |p - q| > 2^(nlen/2 - 100)

using GroupPtr = std::unique_ptr<EC_GROUP, Freer<&EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, Freer<&EC_POINT_clear_free>>;
using KdfPtr = std::unique_ptr<EVP_KDF, Freer<&EVP_KDF_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, Freer<&EVP_KDF_CTX_free>>;

/// Its octets are taken from one secret, so they are wiped.
BignumPtr secret_number() {
  BignumPtr number(BN_secure_new());
  PKI_CHECK(number != nullptr);
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

BignumPtr number_from(const SecretBytes& octets) {
  auto number = secret_number();
  PKI_CHECK(BN_bin2bn(octets.view().data(), static_cast<int>(octets.size()), number.get()) != nullptr);
  return number;
}

std::string info_of(const KeyPurpose& purpose) {
  const std::string end(1, '\0');
  return "ca key" + end + purpose.realm + end + base::to_text(purpose.kind) + end + std::to_string(purpose.generation);
}

OSSL_PARAM octets_param(const char* name, std::string_view text) {
  // OpenSSL reads through the pointer only.
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(text.data()), text.size());  // NOLINT
}

/// HKDF-SHA-512 (RFC 5869), extract and expand.
SecretBytes hkdf(const SecretBytes& secret, const KeyPurpose& purpose, std::size_t octets) {
  const KdfPtr kdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr));
  const KdfContextPtr context(EVP_KDF_CTX_new(kdf.get()));
  const auto info = info_of(purpose);
  std::string digest = SN_sha512;
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                          octets_param(OSSL_KDF_PARAM_KEY, base::as_text(secret.view())),
                          octets_param(OSSL_KDF_PARAM_SALT, kSalt), octets_param(OSSL_KDF_PARAM_INFO, info),
                          OSSL_PARAM_construct_end()};
  Bytes out(octets);
  PKI_CHECK(context && EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()) == 1);
  return SecretBytes(std::move(out));
}

/// A key pair of its parts.
PkeyPtr assemble(const char* type, OSSL_PARAM_BLD* parts) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(parts));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  PKI_CHECK(params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
            EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) == 1);
  return PkeyPtr(key);
}

// ----- EC and Ed25519

/// FIPS 186-5 A.2.1: (c mod (n - 1)) + 1.
BignumPtr scalar_from(const SecretBytes& octets, const EC_GROUP* group, BN_CTX* context) {
  const auto c = number_from(octets);
  auto out = secret_number();
  const BignumPtr less(BN_dup(EC_GROUP_get0_order(group)));
  PKI_CHECK(less && BN_sub_word(less.get(), 1) == 1 && BN_mod(out.get(), c.get(), less.get(), context) == 1 &&
            BN_add_word(out.get(), 1) == 1);
  return out;
}

PkeyPtr derive_ec(const SecretBytes& secret, const KeyPurpose& purpose) {
  const int curve = purpose.kind.bits == 256 ? NID_X9_62_prime256v1 : NID_secp384r1;
  const GroupPtr group(EC_GROUP_new_by_curve_name(curve));
  const BignumContextPtr context(BN_CTX_secure_new());
  const auto octets = static_cast<std::size_t>(purpose.kind.bits + kExtraBits) / 8;
  const auto scalar = scalar_from(hkdf(secret, purpose, octets), group.get(), context.get());
  const PointPtr point(EC_POINT_new(group.get()));
  PKI_CHECK(point && EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, context.get()) == 1);
  Bytes encoded(1 + 2 * static_cast<std::size_t>(purpose.kind.bits) / 8);
  PKI_CHECK(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
                               context.get()) == encoded.size());
  const ParamBuilderPtr parts(OSSL_PARAM_BLD_new());
  PKI_CHECK(parts && OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(curve), 0) == 1 &&
            OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()) == 1);
  return assemble("EC", parts.get());
}

/// RFC 8032 5.1.5: any 32 octets are a private key.
PkeyPtr derive_ed25519(const SecretBytes& secret, const KeyPurpose& purpose) {
  constexpr std::size_t kSeed = 32;
  const auto seed = hkdf(secret, purpose, kSeed);
  return PkeyPtr(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.view().data(), seed.size()));
}

// ----- RSA

struct Primes {
  BignumPtr p;
  BignumPtr q;
};

/// Whether a candidate may be a prime of a key with this exponent: e does not divide it less one, and it is prime.
bool is_good_prime(const BIGNUM* candidate, BN_CTX* context) {
  if (BN_mod_word(candidate, kExponent) == 1) return false;  // e is prime, so gcd(p - 1, e) is e or 1
  const int prime = BN_check_prime(candidate, context, nullptr);
  PKI_CHECK(prime >= 0);
  return prime == 1;
}

bool is_close(const BIGNUM* p, const BIGNUM* q, int modulus_bits) {
  auto distance = secret_number();
  PKI_CHECK(BN_sub(distance.get(), p, q) == 1);
  return BN_num_bits(distance.get()) <= modulus_bits / 2 - kLeastDistanceBits;
}

/// One generate request is one candidate, its two top bits and its lowest bit set.
BignumPtr next_prime(HmacDrbg& stream, int modulus_bits, const BIGNUM* other, BN_CTX* context) {
  for (;;) {
    auto candidate = number_from(stream.generate(static_cast<std::size_t>(modulus_bits) / 16));
    PKI_CHECK(BN_set_bit(candidate.get(), modulus_bits / 2 - 1) == 1 && BN_set_bit(candidate.get(), modulus_bits / 2 - 2) == 1 &&
              BN_set_bit(candidate.get(), 0) == 1);
    if (other != nullptr && is_close(other, candidate.get(), modulus_bits)) continue;
    if (is_good_prime(candidate.get(), context)) return candidate;
  }
}

struct RsaParts {
  BignumPtr n = secret_number();
  BignumPtr e = secret_number();
  BignumPtr d = secret_number();
  BignumPtr dp = secret_number();
  BignumPtr dq = secret_number();
  BignumPtr q_inverse = secret_number();
};

/// RFC 8017 3.2, with d = e^-1 mod lcm(p - 1, q - 1) (FIPS 186-5 A.1.1).
RsaParts parts_of(const Primes& primes, BN_CTX* context) {
  RsaParts parts;
  auto p1 = secret_number();
  auto q1 = secret_number();
  auto phi = secret_number();
  auto common = secret_number();
  auto lcm = secret_number();
  PKI_CHECK(BN_mul(parts.n.get(), primes.p.get(), primes.q.get(), context) == 1 && BN_set_word(parts.e.get(), kExponent) == 1);
  PKI_CHECK(BN_sub(p1.get(), primes.p.get(), BN_value_one()) == 1 && BN_sub(q1.get(), primes.q.get(), BN_value_one()) == 1);
  PKI_CHECK(BN_mul(phi.get(), p1.get(), q1.get(), context) == 1 && BN_gcd(common.get(), p1.get(), q1.get(), context) == 1);
  PKI_CHECK(BN_div(lcm.get(), nullptr, phi.get(), common.get(), context) == 1);
  PKI_CHECK(BN_mod_inverse(parts.d.get(), parts.e.get(), lcm.get(), context) != nullptr);
  PKI_CHECK(BN_mod(parts.dp.get(), parts.d.get(), p1.get(), context) == 1 &&
            BN_mod(parts.dq.get(), parts.d.get(), q1.get(), context) == 1);
  PKI_CHECK(BN_mod_inverse(parts.q_inverse.get(), primes.q.get(), primes.p.get(), context) != nullptr);
  return parts;
}

PkeyPtr assemble_rsa(const Primes& primes, const RsaParts& rsa) {
  const ParamBuilderPtr parts(OSSL_PARAM_BLD_new());
  const std::array<std::pair<const char*, const BIGNUM*>, 8> numbers{{{OSSL_PKEY_PARAM_RSA_N, rsa.n.get()},
                                                                      {OSSL_PKEY_PARAM_RSA_E, rsa.e.get()},
                                                                      {OSSL_PKEY_PARAM_RSA_D, rsa.d.get()},
                                                                      {OSSL_PKEY_PARAM_RSA_FACTOR1, primes.p.get()},
                                                                      {OSSL_PKEY_PARAM_RSA_FACTOR2, primes.q.get()},
                                                                      {OSSL_PKEY_PARAM_RSA_EXPONENT1, rsa.dp.get()},
                                                                      {OSSL_PKEY_PARAM_RSA_EXPONENT2, rsa.dq.get()},
                                                                      {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, rsa.q_inverse.get()}}};
  PKI_CHECK(parts != nullptr);
  for (const auto& [name, number] : numbers) PKI_CHECK(OSSL_PARAM_BLD_push_BN(parts.get(), name, number) == 1);
  return assemble("RSA", parts.get());
}

/// As FIPS 186-5 A.1.3, of a stream that follows from the secret.
PkeyPtr derive_rsa(const SecretBytes& secret, const KeyPurpose& purpose) {
  const BignumContextPtr context(BN_CTX_secure_new());
  HmacDrbg stream(hkdf(secret, purpose, kDrbgSeed));
  const int bits = purpose.kind.bits;
  for (;;) {
    Primes primes;
    primes.p = next_prime(stream, bits, nullptr, context.get());
    primes.q = next_prime(stream, bits, primes.p.get(), context.get());
    if (BN_cmp(primes.p.get(), primes.q.get()) < 0) std::swap(primes.p, primes.q);
    const auto parts = parts_of(primes, context.get());
    // FIPS 186-5 A.1.1: d > 2^(nlen/2). It does not happen; both primes are made anew then.
    if (BN_num_bits(parts.d.get()) > bits / 2) return assemble_rsa(primes, parts);
  }
}

struct Way {
  KeySpec kind;
  PkeyPtr (*derive)(const SecretBytes& secret, const KeyPurpose& purpose);
};
constexpr std::array kWays{
    Way{{KeySpec::Kind::Ec, 256}, derive_ec},           Way{{KeySpec::Kind::Ec, 384}, derive_ec},
    Way{{KeySpec::Kind::Ed25519, 256}, derive_ed25519}, Way{{KeySpec::Kind::Rsa, 3072}, derive_rsa},
    Way{{KeySpec::Kind::Rsa, 4096}, derive_rsa},
};

/// Through PKCS#8, whose reader checks the pair like any other that comes from outside.
Result<PrivateKey> accept(const EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  PKI_CHECK(key != nullptr && bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return PrivateKey::from_pem(base::as_bytes({data, static_cast<std::size_t>(length)}), nullptr);
}

}  // namespace

Result<PrivateKey> derive_key(const SecretBytes& secret, const KeyPurpose& purpose) {
  if (secret.size() < kMinKeySecretOctets)
    return Error(Code::InvalidParams, "found a secret of " + std::to_string(secret.size()) + " octets, expected at least " +
                                          std::to_string(kMinKeySecretOctets));
  if (purpose.generation < 1)
    return Error(Code::InvalidParams, "found generation " + std::to_string(purpose.generation) + ", expected 1 or more");
  for (const auto& way : kWays) {
    if (way.kind != purpose.kind) continue;
    const auto key = way.derive(secret, purpose);
    return accept(key.get());
  }
  std::string known;
  for (const auto& way : kWays) known += (known.empty() ? "" : ", ") + base::to_text(way.kind);
  return Error(Code::InvalidParams,
               "found " + base::to_text(purpose.kind) + ", expected a kind of key that a secret gives: " + known);
}

}  // namespace chancery::crypto
