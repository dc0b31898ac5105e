#include "server/signer/ca_secret.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "server/base/text.h"
#include "server/crypto/derive.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxSeedBytes = 1024;
constexpr double kBitsOfALetterInWords = 1.5;  ///< of written English, about

/// Order-0 entropy (Shannon) of the octets, times their number.
double spread(ByteView octets) {
  std::array<std::size_t, 256> counts{};
  for (const auto octet : octets) ++counts.at(octet);
  double bits = 0;
  for (const auto count : counts) {
    if (count == 0) continue;
    bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / static_cast<double>(octets.size()));
  }
  return bits;
}

/// The shortest part of which the octets are repetitions; the last one may be cut off.
std::size_t period(ByteView octets) {
  for (std::size_t length = 1; length <= octets.size() / 2; ++length) {
    if (std::ranges::equal(octets.subspan(length), octets.first(octets.size() - length))) return length;
  }
  return octets.size();
}

bool is_words(ByteView octets) {
  return std::ranges::all_of(octets,
                             [](std::uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' '; }) &&
         std::ranges::count(octets, ' ') > 0;
}

/// A counter such as 0123… spreads well and differs by the same each time.
double steps(ByteView octets) {
  Bytes differences;
  for (std::size_t i = 1; i < octets.size(); ++i) differences.push_back(static_cast<std::uint8_t>(octets[i] - octets[i - 1]));
  const SecretBytes wiped(std::move(differences));
  return spread(wiped.view()) + 8;
}

Status refuse_seed(const SecretBytes& secret, std::string_view seed, const std::string& where) {
  seed = base::trim(seed);
  if (seed.empty() || base::as_text(secret.view()).find(seed) == std::string_view::npos) return {};
  return Error(Code::PolicyRefused,
               "the secret is, or contains, the registration seed of " + where +
                   ": everybody who operates an RA has that, and would have the CA's key",
               "make a secret of its own: head -c 32 /dev/urandom > secret");
}

}  // namespace

double bits_of_chance(ByteView octets) {
  const auto once = octets.first(period(octets));
  if (is_words(once)) return kBitsOfALetterInWords * static_cast<double>(once.size());
  return std::min(spread(once), steps(once));
}

Result<SecretBytes> read_ca_secret(const base::Path& path) {
  PKI_TRY(const auto content, base::read_secret_file(path, kMaxSecretBytes));
  auto octets = content.view();
  if (!octets.empty() && octets.back() == '\n') octets = octets.first(octets.size() - 1);
  const std::string advice = "head -c 32 /dev/urandom > " + path.string() + " makes a good one, under umask 077";
  if (octets.size() < crypto::kMinKeySecretOctets)
    return Error(Code::BadConfig,
                 path.string() + " has " + std::to_string(octets.size()) + " octets, expected at least " +
                     std::to_string(crypto::kMinKeySecretOctets),
                 advice);
  const auto bits = bits_of_chance(octets);
  if (bits < kLeastSecretBits)
    return Error(Code::BadConfig,
                 path.string() + " has about " + std::to_string(static_cast<int>(bits)) +
                     " bits of chance by its looks, expected at least " + std::to_string(static_cast<int>(kLeastSecretBits)) +
                     ": a secret is made at random, not thought of",
                 advice);
  return SecretBytes(base::as_text(octets));
}

Status check_is_no_seed(const SecretBytes& secret, const config::RealmConfig& realm) {
  if (const char* seed = std::getenv("UPKI_CA_SEED"); seed != nullptr) PKI_TRY_VOID(refuse_seed(secret, seed, "UPKI_CA_SEED"));
  if (realm.seed_file.empty()) return {};
  const auto seed = base::read_secret_file(realm.seed_file, kMaxSeedBytes);
  if (!seed.ok() && seed.error().code() == Code::NotFound) return {};  // what is not there has said nothing to anybody
  if (!seed.ok()) return seed.error();
  return refuse_seed(secret, base::as_text(seed->view()), realm.seed_file);
}

}  // namespace chancery::signer
