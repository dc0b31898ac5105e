#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>

#include "server/crypto/algorithms.h"
#include "server/crypto/key.h"

namespace chancery::crypto {
namespace {

constexpr int kSaltOctets = 16;

Error failed(Code code, std::string what) {
  ERR_clear_error();
  return Error(code, std::move(what));
}

/// What the passphrase callback has to say.
struct Asked {
  const SecretBytes* passphrase;
  bool was_asked = false;
};

int give_passphrase(char* buffer, int size, int, void* user) {
  auto& asked = *static_cast<Asked*>(user);
  asked.was_asked = true;
  if (asked.passphrase == nullptr || asked.passphrase->size() > static_cast<std::size_t>(size)) return -1;
  std::ranges::copy(asked.passphrase->view(), buffer);
  return static_cast<int>(asked.passphrase->size());
}

/// What a memory BIO holds.
std::string_view text_of(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(length)};
}

BioPtr secret_bio() {
  BioPtr bio(BIO_new(BIO_s_secmem()));
  PKI_CHECK(bio != nullptr);
  return bio;
}

/// Called again and again in the search for primes (BN_generate_prime_ex(3)); 0 ends it.
int may_go_on(EVP_PKEY_CTX* context) {
  return static_cast<const std::atomic<bool>*>(EVP_PKEY_CTX_get_app_data(context))->load() ? 0 : 1;
}

EVP_PKEY* make_rsa_pair(int bits, const std::atomic<bool>* enough) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  PKI_CHECK(context && EVP_PKEY_keygen_init(context.get()) == 1);
  PKI_CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) == 1);
  if (enough != nullptr) {
    EVP_PKEY_CTX_set_app_data(context.get(), const_cast<std::atomic<bool>*>(enough));
    EVP_PKEY_CTX_set_cb(context.get(), may_go_on);
  }
  EVP_PKEY* key = nullptr;
  return EVP_PKEY_generate(context.get(), &key) == 1 ? key : nullptr;
}

EVP_PKEY* make_pair(const KeySpec& spec, const std::atomic<bool>* enough) {
  if (spec.kind == KeySpec::Kind::Rsa) return make_rsa_pair(spec.bits, enough);
  if (spec.kind == KeySpec::Kind::Ed25519) return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  const auto curve = "P-" + std::to_string(spec.bits);
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.c_str());
}

}  // namespace

Result<PrivateKey> PrivateKey::adopt(PkeyPtr key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key.get(), &der);
  const MemoryPtr owner(der);
  if (length <= 0) return failed(Code::BadKey, "the private key has no public half");
  PKI_TRY(auto half, PublicKey::from_spki(ByteView(der, static_cast<std::size_t>(length))));
  return PrivateKey(std::move(key), std::move(half));
}

Result<PrivateKey> PrivateKey::generate(const KeySpec& spec, const std::atomic<bool>* enough) {
  PkeyPtr key(make_pair(spec, enough));
  if (!key && enough != nullptr && enough->load()) return failed(Code::Closed, "the key pair was given up");
  if (!key) return failed(Code::BadKey, "no key of kind " + base::to_text(spec) + " can be made");
  return adopt(std::move(key));
}

Result<PrivateKey> PrivateKey::from_pem(ByteView pem, const SecretBytes* passphrase) {
  if (pem.size() > kMaxKeyPemBytes) return failed(Code::TooLarge, "key file above 64 KiB");
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PKI_CHECK(bio != nullptr);
  Asked asked{passphrase};
  PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &asked));
  if (!key && asked.was_asked && passphrase == nullptr)
    return failed(Code::AuthFailed, "the key is encrypted, and no passphrase is given");
  if (!key && asked.was_asked) return failed(Code::AuthFailed, "the passphrase does not open the key");
  if (!key) return failed(Code::Malformed, "no private key in PEM");
  PKI_TRY(auto out, adopt(std::move(key)));
  PKI_TRY_VOID(check_public_key(out.public_));
  const PkeyContextPtr context(EVP_PKEY_CTX_new(out.get(), nullptr));
  PKI_CHECK(context != nullptr);
  if (EVP_PKEY_pairwise_check(context.get()) != 1) return failed(Code::BadKey, "private and public half do not fit");
  return out;
}

Result<PrivateKey> PrivateKey::from_own_pem(ByteView pem) {
  if (pem.size() > kMaxKeyPemBytes) return failed(Code::Malformed, "a key above 64 KiB");
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PKI_CHECK(bio != nullptr);
  Asked asked{nullptr};
  PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &asked));
  if (!key) return failed(Code::Malformed, "no private key in PEM");
  return adopt(std::move(key));
}

bool keep_keys_apart(std::size_t octets) {
  constexpr std::size_t kLeastPiece = 32;
  constexpr int kLocked = 1;
  return CRYPTO_secure_malloc_init(octets, kLeastPiece) == kLocked;
}

SecretBytes PrivateKey::to_pem() const {
  const auto bio = secret_bio();
  PKI_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return SecretBytes(text_of(bio.get()));
}

Result<std::string> PrivateKey::to_encrypted_pem(const SecretBytes& passphrase) const {
  if (passphrase.empty()) return Error(Code::InvalidParams, "the passphrase is empty");
  auto salt = base::random_bytes(kSaltOctets);
  const Pkcs8Ptr plain(EVP_PKEY2PKCS8(get()));
  X509_ALGOR* scheme =
      PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), kPbkdf2Iterations, salt.data(), kSaltOctets, nullptr, NID_hmacWithSHA256);
  PKI_CHECK(plain && scheme != nullptr);
  const auto* words = reinterpret_cast<const char*>(passphrase.view().data());
  const SignedPkcs8Ptr sealed(
      PKCS8_set0_pbe(words, static_cast<int>(passphrase.size()), plain.get(), scheme));  // takes the scheme
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PKI_CHECK(sealed && bio && PEM_write_bio_PKCS8(bio.get(), sealed.get()) == 1);
  return std::string(text_of(bio.get()));
}

Result<Bytes> PrivateKey::sign(SignatureAlgorithm algorithm, ByteView message) const {
  const auto& row = describe(algorithm);
  if (row.kind != public_.spec().kind) return Error(Code::BadKey, "the signature algorithm is not one of this key");
  const CtxPtr context(EVP_MD_CTX_new());
  PKI_CHECK(context && EVP_DigestSignInit(context.get(), nullptr, digest_of(row), nullptr, get()) == 1);
  std::size_t length = 0;
  PKI_CHECK(EVP_DigestSign(context.get(), nullptr, &length, message.data(), message.size()) == 1);
  Bytes signature(length);
  PKI_CHECK(EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) == 1);
  signature.resize(length);
  return signature;
}

}  // namespace chancery::crypto
