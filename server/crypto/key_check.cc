#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "server/crypto/block_list.h"
#include "server/crypto/digest.h"
#include "server/crypto/key.h"
#include "server/crypto/spki.h"
#include "server/crypto/weak_rsa.h"

namespace chancery::crypto {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr BN_ULONG kMinExponent = 65537;
constexpr BN_ULONG kSmallFactorLimit = 752;  // CABF BR 6.1.6, SP 800-89 5.3.3 (e)

Error bad(std::string what) { return Error(Code::BadKey, std::move(what)); }

BignumPtr number(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  PKI_CHECK(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
  return BignumPtr(raw);
}

bool has_small_factor(const BIGNUM* modulus) {
  for (BN_ULONG candidate = 2; candidate < kSmallFactorLimit; ++candidate) {
    if (BN_mod_word(modulus, candidate) == 0) return true;
  }
  return false;
}

Status check_rsa(const PublicKey& key) {
  const int bits = key.spec().bits;
  if (bits < kMinRsaBits || bits > kMaxRsaBits || bits % 8 != 0) {
    return bad("RSA modulus of " + std::to_string(bits) + " bits, expected 2048 to 8192 in steps of 8");
  }
  const auto modulus = number(key.get(), OSSL_PKEY_PARAM_RSA_N);
  const auto exponent = number(key.get(), OSSL_PKEY_PARAM_RSA_E);
  const bool is_small = BN_num_bits(exponent.get()) <= 17 && BN_get_word(exponent.get()) < kMinExponent;
  if (is_small || !BN_is_odd(exponent.get())) return bad("RSA exponent is even or below 65537");
  if (has_small_factor(modulus.get())) return bad("RSA modulus has a factor below 752");
  if (has_roca_fingerprint(modulus.get())) return bad("RSA modulus has the mark of CVE-2017-15361 (ROCA)");
  if (has_close_primes(modulus.get())) return bad("RSA modulus is of two primes close together");
  return {};
}

Status check_ec(const PublicKey& key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key.get(), name.data(), name.size(), &length) != 1) return bad("EC key without a named curve");
  const std::string_view curve(name.data(), length);
  if (curve == SN_X9_62_prime256v1 || curve == SN_secp384r1 || curve == SN_secp521r1) return {};
  return bad("EC curve " + std::string(curve) + ", expected P-256, P-384 or P-521");
}

Status check_anew(const PublicKey& key) {
  if (key.spec().kind == KeySpec::Kind::Rsa) PKI_TRY_VOID(check_rsa(key));
  if (key.spec().kind == KeySpec::Kind::Ec) PKI_TRY_VOID(check_ec(key));
  const PkeyContextPtr context(EVP_PKEY_CTX_new(key.get(), nullptr));
  PKI_CHECK(context != nullptr);
  // On curves of cofactor 1, as all of check_ec are, every point but infinity is in the group (SEC 1, 3.2.2.1); what the whole
  // check does beyond that is one more multiplication.
  const bool is_ec = key.spec().kind == KeySpec::Kind::Ec;
  const bool is_sound = (is_ec ? EVP_PKEY_public_check_quick(context.get()) : EVP_PKEY_public_check(context.get())) == 1;
  ERR_clear_error();
  if (!is_sound) return bad("the public key does not hold its own equation");
  return {};
}

/// Digests of the SPKIs that passed lately. The check is a pure function of those octets and takes 3 to 20 ms for RSA; one
/// issuance asks for it at several places, each of which shall be free to ask (PROMISES C13).
class PassedLately {
 public:
  bool knows(const Bytes& digest) {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(digests_, digest) != digests_.end();
  }
  void add(Bytes digest) {
    const std::lock_guard lock(mutex_);
    digests_[next_++ % digests_.size()] = std::move(digest);
  }

 private:
  std::mutex mutex_;
  std::array<Bytes, 64> digests_;
  std::size_t next_ = 0;
};

/// The operator's lists. Set before a realm is served and at its reloads, read at every check.
class Lists {
 public:
  void replace(std::vector<BlockList> lists) {
    const std::lock_guard lock(mutex_);
    lists_ = std::move(lists);
  }
  Status check(const PublicKey& key) {
    const std::lock_guard lock(mutex_);
    for (const auto& list : lists_) {
      if (list.has(key)) return bad("the key is on the block list " + list.file().filename().string());
    }
    return {};
  }

 private:
  std::mutex mutex_;
  std::vector<BlockList> lists_;
};

Lists& lists() {
  static Lists all;
  return all;
}

}  // namespace

void refuse_listed_keys(std::vector<BlockList> block_lists) { lists().replace(std::move(block_lists)); }

Status check_public_key(const PublicKey& key) {
  static PassedLately passed;
  if (key.empty()) return bad("no key");
  PKI_TRY_VOID(lists().check(key));
  auto digest = sha256(key.spki());
  if (passed.knows(digest)) return {};
  PKI_TRY_VOID(check_anew(key));
  passed.add(std::move(digest));
  return {};
}

}  // namespace chancery::crypto
