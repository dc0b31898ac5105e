#include "server/signer/token_place.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "server/config/next_key.h"
#include "server/signer/testing.h"
#include "server/signer/tokens.h"

namespace chancery::signer {
namespace {

class Directory : public TestDirectory {
 public:
  void write(std::string_view text) const {
    EXPECT_TRUE(base::replace_file(path / kTokenPlace, base::as_bytes(text), 0600).ok());
  }
};

TEST(TokenPlace, IsReadAsItWasWritten) {
  const Directory directory;
  EXPECT_FALSE(read_token_place(directory.path)->has_value());
  const TokenPlace place{"chancery", "0123", {"default/tls-1 \"é\"", "0a0b"}, "/usr/lib/one.so"};
  ASSERT_TRUE(write_token_place(directory.path, place).ok());
  const auto read = read_token_place(directory.path);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, place);
}

TEST(TokenPlace, WhatSaysTooLittleIsRefused) {
  const Directory directory;
  for (const auto* text : {"", "{}", "no JSON", R"({"token":"t"})", R"({"key_label":"k"})", R"({"token":"t","key_id":"0"})",
                           R"({"token":"t","key_label":"k","key_id":"xy"})", R"({"token":1,"key_label":"k"})"}) {
    directory.write(text);
    const auto read = read_token_place(directory.path);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code(), Code::BadConfig) << text;
  }
}

TEST(TokenPlace, DescriptionsMaySayMoreOrLessOfTheSameToken) {
  const auto is_in = [](const TokenPlace& place, const char* token, const char* serial) {
    config::TokenConfig described;
    described.token = token;
    described.serial = serial;
    described.module = "/usr/lib/one.so";
    return place.is_in(described);
  };
  const TokenPlace by_label{"t", "", {"k", ""}};
  const TokenPlace by_both{"t", "1", {"k", ""}};
  EXPECT_TRUE(is_in(by_label, "t", ""));
  EXPECT_TRUE(is_in(by_label, "t", "1"));
  EXPECT_TRUE(is_in(by_both, "", "1"));
  EXPECT_FALSE(is_in(by_label, "", "1"));  // nothing says that it is the same
  EXPECT_FALSE(is_in(by_both, "t", "2"));
  EXPECT_FALSE(is_in(by_both, "u", "1"));
  EXPECT_TRUE(is_in({"t", "", {"k", ""}, "/usr/lib/one.so"}, "t", ""));
  EXPECT_FALSE(is_in({"t", "", {"k", ""}, "/usr/lib/two.so"}, "t", ""));  // of the same label, behind another module
}

config::RealmConfig realm() {
  config::RealmConfig made(RealmName::parse("default").value());
  made.keys.token.module = "/usr/lib/one.so";
  made.keys.token.token = "one";
  made.keys.token.key_label = "first";
  return made;
}

TEST(NextKey, IsWhereTheCasOwnSettingsSayElseWhereTheRealmsDo) {
  auto made = realm();
  made.cas["tls"];
  EXPECT_FALSE(config::next_key(made, "ca").in_token);
  EXPECT_FALSE(config::next_key(made, "tls").in_token);
  made.cas["tls"].key_store = "pkcs11";
  made.cas["tls"].pkcs11.key_label = "tls {ca} {ca}";
  const auto next = config::next_key(made, "tls");
  EXPECT_TRUE(next.in_token);
  EXPECT_EQ(next.token.module, "/usr/lib/one.so");
  EXPECT_EQ(config::key_label_for(made, next.token, "tls-2"), "tls tls-2 tls-2");
  EXPECT_FALSE(config::next_key(made, "ca").in_token);
  made.keys.store = "pkcs11";
  EXPECT_EQ(config::key_label_for(made, config::next_key(made, "ca").token, "ca-2"), "default/ca-2");  // not the first one's
  made.rollover.key_store = "file";
  EXPECT_FALSE(config::next_key(made, "ca").in_token);
  EXPECT_TRUE(config::next_key(made, "tls").in_token);
}

/// Tokens of one label: an old and a new one, behind modules of their own, or told apart by their serial numbers.
TEST(Tokens, WhichOneIsMeantIsNotGuessed) {
  auto made = realm();
  made.cas["tls"].pkcs11 = made.keys.token;
  made.cas["tls"].pkcs11.module = "/usr/lib/two.so";
  const Tokens by_module(made);
  const auto module_of = [](const Tokens& tokens, const TokenPlace& place) {
    const auto session = tokens.find(place);
    return session == nullptr ? std::string() : session->config().module + session->config().serial;
  };
  EXPECT_EQ(module_of(by_module, {"one", "", {"k", ""}}), "");
  EXPECT_EQ(module_of(by_module, {"one", "", {"k", ""}, "/usr/lib/one.so"}), "/usr/lib/one.so");
  EXPECT_EQ(module_of(by_module, {"one", "", {"k", ""}, "/usr/lib/two.so"}), "/usr/lib/two.so");
  made.keys.token.serial = "1";
  made.cas["tls"].pkcs11 = made.keys.token;
  made.cas["tls"].pkcs11.serial = "2";
  const Tokens by_serial(made);
  EXPECT_EQ(module_of(by_serial, {"one", "", {"k", ""}, "/usr/lib/one.so"}), "");
  EXPECT_EQ(module_of(by_serial, {"one", "2", {"k", ""}, "/usr/lib/one.so"}), "/usr/lib/one.so2");
  EXPECT_EQ(module_of(by_serial, {"one", "3", {"k", ""}, "/usr/lib/one.so"}), "");
}

TEST(NextKey, EachTokenIsThereOnce) {
  auto made = realm();
  made.rollover.pkcs11 = made.keys.token;
  made.cas["tls"].pkcs11.key_label = "no token";
  EXPECT_EQ(config::tokens_of(made).size(), 1U);
  made.cas["tls"].pkcs11.module = "/usr/lib/one.so";
  EXPECT_EQ(config::tokens_of(made).size(), 1U);  // not whole
  made.cas["tls"].pkcs11.serial = "7";
  EXPECT_EQ(config::tokens_of(made).size(), 2U);
}

}  // namespace
}  // namespace chancery::signer
