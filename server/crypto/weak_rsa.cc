#include "server/crypto/weak_rsa.h"

#include <algorithm>
#include <array>

#include "server/base/result.h"

namespace chancery::crypto {
namespace {

constexpr int kFermatRounds = 100;

BignumPtr number() {
  BignumPtr out(BN_new());
  PKI_CHECK(out != nullptr);
  return out;
}

/// The largest integer whose square is not above n > 0: Newton's iteration from above.
BignumPtr floor_of_root(const BIGNUM* n, BN_CTX* context) {
  auto root = number();
  auto next = number();
  PKI_CHECK(BN_set_bit(root.get(), (BN_num_bits(n) + 1) / 2) == 1);
  while (true) {
    PKI_CHECK(BN_div(next.get(), nullptr, n, root.get(), context) == 1);
    PKI_CHECK(BN_add(next.get(), next.get(), root.get()) == 1 && BN_rshift1(next.get(), next.get()) == 1);
    if (BN_cmp(next.get(), root.get()) >= 0) return root;
    root.swap(next);
  }
}

/// Squares leave few remainders: these moduli let about one other number in a hundred pass.
bool may_be_square(const BIGNUM* n) {
  const auto fits = [n](BN_ULONG modulus) {
    const auto rest = BN_mod_word(n, modulus);
    for (BN_ULONG i = 0; i < modulus; ++i) {
      if (i * i % modulus == rest) return true;
    }
    return false;
  };
  return fits(64) && fits(63) && fits(65) && fits(11);
}

bool is_square(const BIGNUM* n, BN_CTX* context) {
  if (BN_is_zero(n)) return true;
  if (!may_be_square(n)) return false;
  const auto root = floor_of_root(n, context);
  auto square = number();
  PKI_CHECK(BN_sqr(square.get(), root.get(), context) == 1);
  return BN_cmp(square.get(), n) == 0;
}

}  // namespace

/// n = (a - b)(a + b) = a^2 - b^2 with a near the root of n when the factors are near each other.
bool has_close_primes(const BIGNUM* modulus) {
  const BignumContextPtr context(BN_CTX_new());
  PKI_CHECK(context != nullptr);
  auto a = floor_of_root(modulus, context.get());
  auto rest = number();
  for (int round = 0; round < kFermatRounds; ++round) {
    PKI_CHECK(BN_sqr(rest.get(), a.get(), context.get()) == 1 && BN_sub(rest.get(), rest.get(), modulus) == 1);
    if (!BN_is_negative(rest.get()) && is_square(rest.get(), context.get())) return true;
    PKI_CHECK(BN_add_word(a.get(), 1) == 1);
  }
  return false;
}

bool has_roca_fingerprint(const BIGNUM* modulus) {
  // The odd primes up to 167, all of which divide the library's primorial for keys of 512 bits and above.
  constexpr std::array<BN_ULONG, 38> kPrimes{3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                             47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                             107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  constexpr BN_ULONG kGenerator = 65537;
  return std::ranges::all_of(kPrimes, [modulus](BN_ULONG prime) {
    const auto rest = BN_mod_word(modulus, prime);
    BN_ULONG power = 1;
    do {
      if (power == rest) return true;
      power = power * kGenerator % prime;
    } while (power != 1);
    return false;
  });
}

}  // namespace chancery::crypto
