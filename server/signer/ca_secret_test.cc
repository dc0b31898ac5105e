#include "server/signer/ca_secret.h"

#include <gtest/gtest.h>

namespace chancery::signer {
namespace {

struct Case {
  const char* name;
  std::string octets;
  bool good;
};

std::string counter(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>(i);
  return out;
}

TEST(CaSecret, BitsOfChance) {
  const auto random = base::random_bytes(32);
  const Case cases[] = {
      {"random octets", std::string(random.begin(), random.end()), true},
      {"random hex", base::to_hex(base::random_bytes(32)), true},
      {"random base64", base::to_base64(base::random_bytes(32)), true},
      {"nothing", "", false},
      {"zeros", std::string(64, '\0'), false},
      {"one letter", std::string(400, 'a'), false},
      {"a password again and again", "correct horsecorrect horsecorrect horsecorrect horse", false},
      {"words", "the quick brown fox jumps over the lazy dog and runs", false},
      {"a counter", counter(64), false},
      {"digits", "0123456789012345678901234567890123456789", false},
      {"few letters", "abababbabaabbabaababbababbaabababb", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(bits_of_chance(base::as_bytes(one.octets)) >= kLeastSecretBits, one.good)
        << one.name << ": " << bits_of_chance(base::as_bytes(one.octets));
  }
}

}  // namespace
}  // namespace chancery::signer
