#include "server/worker/key_pool.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace chancery::worker {
namespace {

// Kinds that are made in no time stand in for the slow ones.
const base::KeySpec kOne{base::KeySpec::Kind::Ec, 256};
const base::KeySpec kOther{base::KeySpec::Kind::Ec, 384};
const base::KeySpec kUnknown{base::KeySpec::Kind::Ed25519, 256};

RealmName realm(const char* name) { return RealmName::parse(name).value(); }
KeyPool::Kind kind(const base::KeySpec& spec, std::vector<RealmName> realms) { return {spec, std::move(realms)}; }

/// Makes what is wanted, up to that many.
void make(KeyPool& pool, int most) {
  for (int i = 0; i < most; ++i) {
    const auto spec = pool.wanted();
    if (spec) pool.put(crypto::PrivateKey::generate(*spec).value());
  }
}

TEST(KeyPool, FillsEachKindAndThenWantsNothing) {
  KeyPool pool({kind(kOne, {realm("a")}), kind(kOther, {realm("a")})}, 3);
  EXPECT_TRUE(pool.wanted());
  make(pool, 6);
  EXPECT_EQ(pool.ready(kOne), 3U);
  EXPECT_EQ(pool.ready(kOther), 3U);
  EXPECT_FALSE(pool.wanted());
}

TEST(KeyPool, KindsTakeTurns) {
  KeyPool pool({kind(kOne, {realm("a")}), kind(kOther, {realm("a")})}, 4);
  for (std::size_t i = 1; i <= 4; ++i) {
    make(pool, 2);
    EXPECT_EQ(pool.ready(kOne), i);
    EXPECT_EQ(pool.ready(kOther), i);
  }
}

TEST(KeyPool, TheEmptiestKindComesFirst) {
  KeyPool pool({kind(kOne, {realm("a")}), kind(kOther, {realm("a")})}, 3);
  make(pool, 6);
  EXPECT_TRUE(pool.take(kOther, realm("a")));
  EXPECT_TRUE(pool.take(kOther, realm("a")));
  EXPECT_TRUE(pool.take(kOne, realm("a")));
  EXPECT_EQ(pool.wanted(), kOther);
}

TEST(KeyPool, EachPairLeavesOnce) {
  KeyPool pool({kind(kOne, {realm("a")})}, 2);
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    make(pool, 1);
    const auto pair = pool.take(kOne, realm("a"));
    ASSERT_TRUE(pair);
    EXPECT_TRUE(seen.insert(pair->public_key().spki_sha256_hex()).second);
  }
}

TEST(KeyPool, NothingComesOfAnEmptyOne) {
  KeyPool pool({kind(kOne, {realm("a")})}, 1);
  EXPECT_FALSE(pool.take(kOne, realm("a")));
  make(pool, 1);
  EXPECT_TRUE(pool.take(kOne, realm("a")));
  EXPECT_FALSE(pool.take(kOne, realm("a")));
}

TEST(KeyPool, RefusesKindsAndRealmsThatItWasNotMadeFor) {
  KeyPool pool({kind(kOne, {realm("a")})}, 2);
  make(pool, 2);
  EXPECT_FALSE(pool.take(kUnknown, realm("a")));
  EXPECT_FALSE(pool.take(kOther, realm("a")));
  EXPECT_FALSE(pool.take(kOne, realm("b")));
  EXPECT_EQ(pool.ready(kOne), 2U);
}

TEST(KeyPool, TheLastPairIsForAnotherRealm) {
  KeyPool pool({kind(kOne, {realm("a"), realm("b")})}, 3);
  make(pool, 3);
  EXPECT_TRUE(pool.take(kOne, realm("a")));
  EXPECT_TRUE(pool.take(kOne, realm("a")));
  EXPECT_FALSE(pool.take(kOne, realm("a")));
  EXPECT_TRUE(pool.take(kOne, realm("b")));
  make(pool, 1);
  EXPECT_FALSE(pool.take(kOne, realm("b")));
  EXPECT_TRUE(pool.take(kOne, realm("a")));
}

TEST(KeyPool, ARealmAloneMayTakeTheLast) {
  KeyPool pool({kind(kOne, {realm("a")}), kind(kOther, {realm("a"), realm("b")})}, 1);
  for (int i = 0; i < 3; ++i) {
    make(pool, 2);
    EXPECT_TRUE(pool.take(kOne, realm("a")));
  }
}

TEST(KeyPool, OneTooManyIsDropped) {
  KeyPool pool({kind(kOne, {realm("a")})}, 1);
  make(pool, 1);
  pool.put(crypto::PrivateKey::generate(kOne).value());
  EXPECT_EQ(pool.ready(kOne), 1U);
}

TEST(KeyPool, WithoutKindsNothingIsWanted) {
  KeyPool pool({}, 4);
  EXPECT_FALSE(pool.wanted());
  EXPECT_FALSE(pool.take(kOne, realm("a")));
  EXPECT_EQ(pool.ready(kOne), 0U);
}

}  // namespace
}  // namespace chancery::worker
