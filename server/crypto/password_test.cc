#include "server/crypto/password.h"

#include <gtest/gtest.h>

#include "server/base/text.h"

namespace chancery::crypto {
namespace {

constexpr int kCost = kLeastScryptCost;

TEST(Password, IsTheOneThatWasHashed) {
  const auto kept = hash_password(SecretBytes("correct horse"), kCost).value();
  EXPECT_TRUE(is_password(SecretBytes("correct horse"), kept).value());
  for (const auto* wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
    EXPECT_FALSE(is_password(SecretBytes(wrong), kept).value()) << wrong;
  }
  EXPECT_EQ(cost_of(kept), "scrypt ln=10 r=8 p=1");
}

TEST(Password, EachHashHasASaltOfItsOwn) {
  EXPECT_NE(hash_password(SecretBytes("x"), kCost).value(), hash_password(SecretBytes("x"), kCost).value());
}

/// By Python: hashlib.scrypt(b"pleaseletmein", salt=bytes(range(16)), n=1024, r=8, p=1, dklen=32).
TEST(Password, HashesOfOthersAreTheSame) {
  const std::string kKept = "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$x0jHUFkpNBiJVwY1AhuH7NuyxVlkarFnXjRNhp1B_eU";
  EXPECT_TRUE(is_password(SecretBytes("pleaseletmein"), kKept).value());
  EXPECT_FALSE(is_password(SecretBytes("pleaseletmeout"), kKept).value());
}

TEST(Password, NobodysIsNobodys) {
  EXPECT_FALSE(is_password(SecretBytes("x"), nobodys_password(kCost)).value());
  EXPECT_FALSE(is_password(SecretBytes(""), nobodys_password(kCost)).value());
}

TEST(Password, WhatWasNotWrittenByUsIsCorrupt) {
  const auto kept = hash_password(SecretBytes("x"), kCost).value();
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = kept;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string kBad[] = {"",
                              "x",
                              "$scrypt$",
                              kept + "A",
                              kept.substr(0, kept.size() - 1),
                              with("ln=10", "ln=9"),
                              with("ln=10", "ln=21"),
                              with("ln=10", "ln=010"),
                              with("ln=10", "ln=4294967306"),
                              with("r=8", "r=9"),
                              with("p=1", "p=2"),
                              with("$scrypt", "$scrypT"),
                              with("$scrypt$", "x$scrypt$")};
  for (const auto& text : kBad) {
    EXPECT_EQ(is_password(SecretBytes("x"), text).error().code(), Code::Corrupt) << text;
    EXPECT_EQ(cost_of(text), "") << text;
  }
}

TEST(Password, WhatCannotBeHashed) {
  for (const int cost : {-1, 0, kLeastScryptCost - 1, kMostScryptCost + 1})
    EXPECT_EQ(hash_password(SecretBytes("x"), cost).error().code(), Code::InvalidParams) << cost;
  EXPECT_EQ(hash_password(SecretBytes(""), kCost).error().code(), Code::InvalidParams);
  EXPECT_EQ(hash_password(SecretBytes(std::string(kMostPasswordOctets + 1, 'x')), kCost).error().code(), Code::InvalidParams);
}

}  // namespace
}  // namespace chancery::crypto
