#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <bit>

#include "server/crypto/algorithms.h"
#include "server/crypto/digest.h"
#include "server/crypto/key.h"
#include "server/crypto/spki.h"

namespace chancery::crypto {
namespace {

Error bad(std::string what) {
  ERR_clear_error();
  return Error(Code::BadKey, std::move(what));
}

PkeyPtr from_params(const char* kind, OSSL_PARAM* params) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  PKI_CHECK(context && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) return nullptr;
  return PkeyPtr(key);
}

PkeyPtr load_rsa(const Spki& spki) {
  const auto number = [](ByteView octets) {
    return BignumPtr(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  };
  const auto modulus = number(spki.modulus);
  const auto exponent = number(spki.exponent);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  PKI_CHECK(builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1);
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  return from_params("RSA", params.get());
}

PkeyPtr load_ec(const Spki& spki) {
  std::string group(spki.kind->group);
  Bytes point(spki.key.begin(), spki.key.end());
  std::array params{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
                    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                    OSSL_PARAM_construct_end()};
  return from_params("EC", params.data());
}

/// From the numbers, not by OpenSSL's decoders: those try each kind of key in turn, and cost five to twenty times as much.
PkeyPtr load(const Spki& spki) {
  switch (spki.kind->spec.kind) {
    case KeySpec::Kind::Rsa: return load_rsa(spki);
    case KeySpec::Kind::Ec: return load_ec(spki);
    case KeySpec::Kind::Ed25519:
      return PkeyPtr(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, spki.key.data(), spki.key.size()));
  }
  return nullptr;
}

int bits_of(ByteView magnitude) {
  return static_cast<int>(8 * (magnitude.size() - 1) + std::bit_width(static_cast<unsigned>(magnitude.front())));
}

/// The keys that this thread read last. One issuance reads the same key from the request, the certificate and their checks, and
/// the CA's key, or an account's, every time; what makes an EC key from its octets costs more than verifying with it.
class Recent {
 public:
  const PublicKey* find(ByteView der) {
    const auto found = std::ranges::find_if(keys_, [&](const PublicKey& one) { return std::ranges::equal(one.spki(), der); });
    if (found == keys_.end() || der.empty()) return nullptr;
    std::rotate(keys_.begin(), found, found + 1);
    return &keys_.front();
  }
  void add(const PublicKey& key) {
    std::rotate(keys_.begin(), keys_.end() - 1, keys_.end());
    keys_.front() = key;
  }

 private:
  std::array<PublicKey, 32> keys_;  ///< the one used last in front: keys that come again outlive those that do not
};
thread_local Recent recent;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

Result<PublicKey> PublicKey::from_spki(ByteView der) {
  if (const auto* known = recent.find(der)) return *known;
  PKI_TRY(const auto spki, read_spki(der));
  auto key = load(spki);
  if (!key) return bad("the public key does not load: a point off its curve, or numbers that are none of a key");
  PublicKey out;
  out.key_ = std::move(key);
  out.spec_ = spki.kind->spec;
  if (!spki.modulus.empty()) out.spec_.bits = bits_of(spki.modulus);
  out.spki_.assign(der.begin(), der.end());
  recent.add(out);
  return out;
}

Result<PublicKey> PublicKey::from_rsa(ByteView n, ByteView e) {
  if (n.size() > kMaxRsaBits / 8 || e.size() > kMaxExponentOctets) return bad("RSA modulus or exponent is too long");
  return from_spki(write_rsa_spki(n, e));
}

Result<PublicKey> PublicKey::from_ec(int bits, ByteView x, ByteView y) {
  PKI_TRY(const auto der, write_ec_spki(bits, x, y));
  return from_spki(der);
}

Result<PublicKey> PublicKey::from_ed25519(ByteView x) {
  PKI_TRY(const auto der, write_ed25519_spki(x));
  return from_spki(der);
}

std::string PublicKey::spki_sha256_hex() const { return sha256_hex(spki_); }

Status PublicKey::verify(SignatureAlgorithm algorithm, ByteView message, ByteView signature) const {
  const auto& row = describe(algorithm);
  if (empty() || row.kind != spec_.kind) return Error(Code::BadProof, "the signature algorithm is not one of this key");
  const CtxPtr context(EVP_MD_CTX_new());
  PKI_CHECK(context != nullptr);
  const bool verified = EVP_DigestVerifyInit(context.get(), nullptr, digest_of(row), nullptr, get()) == 1 &&
                        EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  if (!verified) return Error(Code::BadProof, "the signature does not verify");
  return {};
}

}  // namespace chancery::crypto
