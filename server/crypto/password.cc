#include "server/crypto/password.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include <array>
#include <charconv>
#include <optional>

#include "server/base/text.h"
#include "server/crypto/handles.h"

namespace chancery::crypto {
namespace {

using KdfPtr = std::unique_ptr<EVP_KDF, Freer<&EVP_KDF_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, Freer<&EVP_KDF_CTX_free>>;

constexpr std::size_t kSaltOctets = 16;
constexpr std::size_t kHashOctets = 32;
constexpr std::uint32_t kBlocks = 8;    ///< r
constexpr std::uint32_t kParallel = 1;  ///< p
constexpr std::size_t kParts = 5;       ///< an empty one, scrypt, the parameters, salt, hash

struct Kept {
  int cost = 0;
  Bytes salt;
  Bytes hash;
};

std::string parameters_of(int cost) {
  return "ln=" + std::to_string(cost) + ",r=" + std::to_string(kBlocks) + ",p=" + std::to_string(kParallel);
}

std::optional<int> cost_in(const std::string& text) {
  constexpr std::string_view kFirst = "ln=";
  int cost = 0;
  const auto* const end = text.data() + text.size();
  if (!text.starts_with(kFirst) || std::from_chars(text.data() + kFirst.size(), end, cost).ec != std::errc()) return std::nullopt;
  // Written once more it is the same text, or it is none of ours.
  return cost >= kLeastScryptCost && cost <= kMostScryptCost && parameters_of(cost) == text ? std::optional(cost) : std::nullopt;
}

Result<Kept> parse(std::string_view text) {
  const auto parts = base::split(text, '$');
  const Error bad(Code::Corrupt, "a kept password is not what was written");
  if (parts.size() != kParts || !parts[0].empty() || parts[1] != "scrypt") return bad;
  const auto cost = cost_in(parts[2]);
  auto salt = base::from_base64url(parts[3]);
  auto hash = base::from_base64url(parts[4]);
  if (!cost || !salt.ok() || !hash.ok() || salt->size() != kSaltOctets || hash->size() != kHashOctets) return bad;
  return Kept{*cost, std::move(*salt), std::move(*hash)};
}

OSSL_PARAM octets_param(const char* name, ByteView octets) {
  // OpenSSL reads through the pointer only.
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(octets.data()), octets.size());  // NOLINT
}

/// RFC 7914 6. @errors Unavailable: no memory for it.
Result<Bytes> scrypt(const SecretBytes& password, const Bytes& salt, int cost) {
  const KdfPtr kdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_SCRYPT, nullptr));
  const KdfContextPtr context(EVP_KDF_CTX_new(kdf.get()));
  std::uint64_t n = std::uint64_t{1} << cost;
  auto r = kBlocks;
  auto p = kParallel;
  std::uint64_t most_octets = 2 * 128 * n * r;  // what it takes is 128 N r, and a little
  const std::array params{octets_param(OSSL_KDF_PARAM_PASSWORD, password.view()),
                          octets_param(OSSL_KDF_PARAM_SALT, salt),
                          OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
                          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
                          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
                          OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &most_octets),
                          OSSL_PARAM_construct_end()};
  Bytes out(kHashOctets);
  if (context == nullptr || EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()) != 1)
    return Error(Code::Unavailable, "scrypt with N of 2^" + std::to_string(cost) + " failed", "is there memory enough?");
  return out;
}

std::string to_text(const Kept& kept) {
  return "$scrypt$" + parameters_of(kept.cost) + "$" + base::to_base64url(kept.salt) + "$" + base::to_base64url(kept.hash);
}

}  // namespace

Result<std::string> hash_password(const SecretBytes& password, int cost) {
  if (password.empty() || password.size() > kMostPasswordOctets)
    return Error(Code::InvalidParams, "found a password of " + std::to_string(password.size()) + " octets, expected 1 to " +
                                          std::to_string(kMostPasswordOctets));
  if (cost < kLeastScryptCost || cost > kMostScryptCost)
    return Error(Code::InvalidParams, "found a scrypt cost of " + std::to_string(cost) + ", expected " +
                                          std::to_string(kLeastScryptCost) + " to " + std::to_string(kMostScryptCost));
  Kept kept{cost, base::random_bytes(kSaltOctets), {}};
  PKI_TRY(kept.hash, scrypt(password, kept.salt, cost));
  return to_text(kept);
}

Result<bool> is_password(const SecretBytes& password, std::string_view text) {
  PKI_TRY(const auto kept, parse(text));
  PKI_TRY(const auto hash, scrypt(password, kept.salt, kept.cost));
  return base::equal_in_constant_time(hash, kept.hash) && !password.empty();
}

std::string cost_of(std::string_view text) {
  const auto kept = parse(text);
  if (!kept.ok()) return {};
  return "scrypt ln=" + std::to_string(kept->cost) + " r=" + std::to_string(kBlocks) + " p=" + std::to_string(kParallel);
}

std::string nobodys_password(int cost) {
  return to_text({cost, base::random_bytes(kSaltOctets), base::random_bytes(kHashOctets)});
}

}  // namespace chancery::crypto
