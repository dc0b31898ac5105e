#include "server/worker/tokens.h"

#include "server/base/bytes.h"
#include "server/crypto/digest.h"

namespace chancery::worker {
namespace {

constexpr std::string_view kPrefix = "chancery_";  // so that those who look for leaked secrets find them
constexpr char kSeparator = '.';
constexpr std::size_t kIdOctets = 8;
constexpr std::size_t kSecretOctets = 24;

}  // namespace

NewToken make_token() {
  NewToken token{base::to_hex(base::random_bytes(kIdOctets)), {}};
  token.text = std::string(kPrefix) + token.id + kSeparator + base::to_base64url(base::random_bytes(kSecretOctets));
  return token;
}

std::string id_of_token(std::string_view token) {
  if (!token.starts_with(kPrefix)) return {};
  token.remove_prefix(kPrefix.size());
  return std::string(token.substr(0, std::min(token.find(kSeparator), 2 * kIdOctets + 1)));
}

std::string digest_of_token(std::string_view token) { return crypto::sha256_hex(base::as_bytes(token)); }

}  // namespace chancery::worker
