#include <gtest/gtest.h>

#include <filesystem>

#include "server/signer/testing.h"

/// Further CAs and generations of a realm whose keys people open (doc/rollover.md).
namespace chancery::signer {
namespace {

constexpr const char* kPassphrase = "what one person types";

class Office : public TestRealm {
 public:
  Office() {
    const auto file = around("passphrase");
    EXPECT_TRUE(base::replace_file(file, base::as_bytes(std::string(kPassphrase) + "\n"), 0600).ok());
    auto asks = creation();
    asks.passphrase_file = file.string();
    asks.prompt = true;
    TestRealm::create(asks);
    write("ca.config.yml", read("ca.config.yml") + "cas:\n  tls:\n    key: ec:P-384\n");
    open();
  }
  Result<SecretStatus> enter(const char* secret = kPassphrase) {
    return issuer->enter_secret({SecretBytes(std::string_view(secret)), "unix:alice"}, kNow);
  }
  std::string obstacle(const std::string& ca) const {
    const auto info = issuer->authority(ca);
    return info.ok() ? info->obstacle : info.error().message();
  }
  Status create(const std::string& ca) { return issuer->create_generation({ca, "self", "unix:alice"}, kNow); }
  Status set(const std::string& ca, const std::string& state) { return issuer->set_generation(ca, state, "unix:alice", kNow); }
  bool signs_crl(const std::string& ca, std::uint64_t number) {
    return issuer->sign_crl({number, kNow, kNow + std::chrono::hours{1}, {}, "upkeep", ca}, kNow).ok();
  }
};

TEST(SecretGenerations, NoneIsMadeWhileNobodyHasOpenedTheRealm) {
  Office office;
  const auto refused = office.create("ca-2");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Unavailable);
  EXPECT_FALSE(std::filesystem::exists(office.in("cas/ca-2/ca.key")));
  EXPECT_FALSE(office.enter("another").ok());
  EXPECT_FALSE(office.create("ca-2").ok());
}

TEST(SecretGenerations, OneSecretOpensAllOfThemAfterAStart) {
  Office office;
  ASSERT_TRUE(office.enter().ok());
  ASSERT_TRUE(office.create("ca-2").ok());
  ASSERT_TRUE(office.create("tls-1").ok());
  for (const auto* ca : {"ca", "ca-2", "tls-1"}) EXPECT_EQ(office.obstacle(ca), "") << ca;
  for (const auto* key : {"cas/ca-2/ca.key", "cas/tls-1/ca.key"}) {
    EXPECT_NE(base::read_file(office.in(key), 65536)->find("BEGIN ENCRYPTED PRIVATE KEY"), std::string::npos) << key;
  }
  office.open();
  for (const auto* ca : {"ca", "ca-2", "tls-1"}) EXPECT_NE(office.obstacle(ca), "") << ca;
  EXPECT_FALSE(office.signs_crl("ca-2", 1));
  EXPECT_FALSE(office.enter("another").ok());
  EXPECT_NE(office.obstacle("ca-2"), "");
  ASSERT_TRUE(office.enter().ok());
  for (const auto* ca : {"ca", "ca-2", "tls-1"}) {
    EXPECT_EQ(office.obstacle(ca), "") << ca;
    EXPECT_TRUE(office.signs_crl(ca, 1)) << ca;
  }
}

TEST(SecretGenerations, LockingLocksAllAndForgetsTheSecret) {
  Office office;
  ASSERT_TRUE(office.enter().ok());
  ASSERT_TRUE(office.create("ca-2").ok());
  ASSERT_TRUE(office.issuer->clear_secret().ok());
  for (const auto* ca : {"ca", "ca-2"}) EXPECT_NE(office.obstacle(ca), "") << ca;
  EXPECT_EQ(office.create("tls-1").error().code(), Code::Unavailable);
  EXPECT_FALSE(office.signs_crl("ca-2", 1));
  ASSERT_TRUE(office.enter().ok());
  EXPECT_TRUE(office.signs_crl("ca-2", 1));  // a key that was made in this process, too
  EXPECT_TRUE(office.create("tls-1").ok());
}

TEST(SecretGenerations, ARetiredFirstOneIsNotWhatTheSecretHasToOpen) {
  Office office;
  ASSERT_TRUE(office.enter().ok());
  ASSERT_TRUE(office.create("ca-2").ok());
  ASSERT_TRUE(office.set("ca-2", "active").ok());
  ASSERT_TRUE(office.set("ca", "draining").ok());
  ASSERT_TRUE(office.set("ca", "retired").ok());
  std::filesystem::remove(office.in("ca.key"));  // nobody needs it
  office.open();
  EXPECT_NE(office.issuer->obstacle(), "");
  EXPECT_EQ(office.issuer->secret_status().state, "locked");
  EXPECT_FALSE(office.enter("another").ok());
  EXPECT_NE(office.issuer->obstacle(), "");
  const auto opened = office.enter();
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  EXPECT_EQ(opened->state, "open");
  EXPECT_TRUE(office.signs_crl("ca-2", 1));
}

TEST(SecretGenerations, OneThatCannotBeOpenedKeepsNoOtherOneLocked) {
  Office office;
  ASSERT_TRUE(office.enter().ok());
  ASSERT_TRUE(office.create("tls-1").ok());
  office.issuer.reset();
  const auto other = crypto::PrivateKey::generate(base::parse_key_spec("ec:P-384").value()).value();
  const auto pem = other.to_encrypted_pem(SecretBytes(std::string_view("another passphrase"))).value();
  ASSERT_TRUE(base::replace_file(office.in("cas/tls-1/ca.key"), base::as_bytes(pem), 0600).ok());
  office.open();
  ASSERT_TRUE(office.enter().ok());
  EXPECT_EQ(office.obstacle("ca"), "");
  EXPECT_NE(office.obstacle("tls-1"), "");
  EXPECT_TRUE(office.signs_crl("ca", 1));
  EXPECT_FALSE(office.signs_crl("tls-1", 1));
}

TEST(SecretGenerations, WhatWasCutOffBeforeItsCertificateIsTakenUp) {
  Office office;
  ASSERT_TRUE(office.enter().ok());
  ASSERT_TRUE(office.create("ca-2").ok());
  const auto before = base::read_file(office.in("cas/ca-2/ca.key"), 65536).value();
  std::filesystem::remove(office.in("cas/ca-2/ca.crt"));
  office.open();
  EXPECT_FALSE(office.create("ca-2").ok());  // it is locked
  ASSERT_TRUE(office.enter().ok());
  const auto made = office.create("ca-2");
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_EQ(base::read_file(office.in("cas/ca-2/ca.key"), 65536).value(), before);
  EXPECT_TRUE(office.signs_crl("ca-2", 1));
}

}  // namespace
}  // namespace chancery::signer
