#include "clients/acme/challenge.h"

#include <gtest/gtest.h>

#include <set>

#include "clients/acme/dns01.h"
#include "clients/acme/problems.h"
#include "clients/acme/tlsalpn01.h"

namespace chancery::acme {
namespace {

TEST(Methods, EachIsFoundByItsName) {
  std::set<std::string_view> names;
  for (const auto& method : methods()) {
    EXPECT_EQ(find_method(method.name), &method);
    names.insert(method.name);
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"dns-01", "dns-account-01", "dns-persist-01", "http-01", "tls-alpn-01"}));
  for (const auto* none : {"", "dns", "dns-02", "http-01 ", "HTTP-01", "zzz"}) EXPECT_EQ(find_method(none), nullptr) << none;
}

TEST(Evidence, IsBoundedAndPrintable) {
  Evidence evidence;
  evidence.note("a\nb\x1b");
  EXPECT_EQ(evidence.text(), "a\\x0ab\\x1b");
  for (int i = 0; i < 100; ++i) evidence.note(std::string(90, 'x'));
  EXPECT_LE(evidence.text().size(), 2000U);
}

TEST(Problems, SomePassByThemselves) {
  EXPECT_TRUE(is_passing(passing_error("dns", "x")));
  EXPECT_EQ(to_problem(passing_error("dns", "x")).type, "dns");
  EXPECT_FALSE(is_passing(acme_error("dns", "x")));
  EXPECT_TRUE(is_passing(as_dns_error(Error(Code::Timeout, "x"))));
  EXPECT_TRUE(is_passing(as_dns_error(Error(Code::NotFound, "x"))));
  EXPECT_FALSE(is_passing(as_dns_error(Error(Code::BadProof, "x"))));
}

Question question(bool wildcard = false) {
  Question one;
  one.name = "www.shop.example";
  one.wildcard = wildcard;
  one.token = "token";
  one.thumbprint = "thumbprint";
  one.account_url = "https://ca.example/acme/account/1";
  one.rules.caa_issuers = {"ca.example", "ca.test"};
  return one;
}

TEST(Dns01, DigestOfTheKeyAuthorization) {
  EXPECT_EQ(question().key_authorization(), "token.thumbprint");
  EXPECT_EQ(dns01_digest(question()), "61rBZ_4knHblO0MNoxFsXZ_eTFUHum0B6IVRbhvUn5I");
}

TEST(DnsAccount01, LabelOfTheDraft) {
  EXPECT_EQ(account_label("https://example.com/acme/acct/ExampleAccount"), "_ujmmovf2vn55tgye._acme-challenge");
  EXPECT_EQ(account_label("http://localhost:4000/acme/acct/1"), "_vkbgbqfhr6yv2asd._acme-challenge");
}

struct Record {
  std::string text;
  bool plain;
  bool wild;
};

TEST(DnsPersist01, WhatCounts) {
  const std::string good = "ca.example; accounturi=https://ca.example/acme/account/1";
  const Record cases[] = {
      {good, true, false},
      {"CA.Test;accounturi=https://ca.example/acme/account/1", true, false},
      {good + "; policy=wildcard", true, true},
      {good + "; Policy=WildCard", true, true},
      {good + "; policy=other", true, false},
      {good + "; policy=wildcard; policy=wildcard", false, false},
      {good + "; persistUntil=1000", true, false},
      {good + "; persistUntil=1001; policy=wildcard", true, true},
      {good + "; persistUntil=999", false, false},
      {good + "; persistUntil=99999999999999999999", false, false},
      {good + "; persistUntil=-1", false, false},
      {good + "; persistUntil=1e9", false, false},
      {good + "; persistUntil=", false, false},
      {good + "; persistUntil=2000; persistUntil=2000", false, false},
      {good + "; future=1", true, false},
      {good + ";", false, false},
      {good + "; accounturi=https://ca.example/acme/account/1", false, false},
      {"other.example; accounturi=https://ca.example/acme/account/1", false, false},
      {"ca.example; accounturi=https://ca.example/acme/account/12", false, false},
      {"ca.example; accounturi=", false, false},
      {"ca.example", false, false},
      {"; accounturi=https://ca.example/acme/account/1", false, false},
      {"", false, false},
      {"token.thumbprint", false, false},
  };
  const auto now = base::from_epoch(1000);
  for (const auto& one : cases) {
    const std::vector<std::string> texts{"v=spf1 -all", one.text};
    EXPECT_EQ(is_persistent_proof(texts, question(false), now), one.plain) << one.text;
    EXPECT_EQ(is_persistent_proof(texts, question(true), now), one.wild) << one.text << ", wildcard";
  }
}

TEST(DnsPersist01, ACaWithoutNamesIsNamedByNobody) {
  auto nameless = question();
  nameless.rules.caa_issuers.clear();
  const std::vector<std::string> texts{"; accounturi=https://ca.example/acme/account/1"};
  EXPECT_FALSE(is_persistent_proof(texts, nameless, base::from_epoch(0)));
}

TEST(DnsPersist01, ACaWithoutNamesAsksNobody) {
  auto nameless = question();
  nameless.rules.caa_issuers.clear();
  Evidence evidence;
  const auto refused = prove_dns_persist01(nameless, std::chrono::steady_clock::now(), evidence);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(to_problem(refused.error()).type, "serverInternal");
  EXPECT_EQ(evidence.text(), "");
}

TEST(TlsAlpn01, ServerNames) {
  EXPECT_EQ(server_name_for("www.shop.example"), "www.shop.example");
  EXPECT_EQ(server_name_for("192.0.2.10"), "10.2.0.192.in-addr.arpa");
  EXPECT_EQ(server_name_for("2001:db8::1"), "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(TlsAlpn01, F48_WhatIsNoCertificate) {
  const auto name = x509::GeneralName::parse("DNS:a.example").value();
  for (const auto& bad : {std::string(), std::string("0"), std::string("\x30\x00", 2), std::string(4000, '\x30')}) {
    const auto refused = check_acme_certificate(base::as_bytes(bad), name, Bytes(32));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(to_problem(refused.error()).type, "incorrectResponse");
  }
}

}  // namespace
}  // namespace chancery::acme
