#include "clients/acme/targets.h"

#include <gtest/gtest.h>

#include "clients/acme/fetch.h"
#include "clients/dns/lookup.h"

namespace chancery::acme {
namespace {

struct Target {
  const char* address;
  bool without_loopback;  ///< permitted in a realm that does not allow loopback
  bool with_loopback;
};

const Target kTargets[] = {
    {"10.1.2.3", true, true},
    {"172.16.0.1", true, true},
    {"192.168.1.1", true, true},
    {"100.64.0.1", true, true},
    {"203.0.113.9", true, true},
    {"fd00::1", true, true},
    {"2001:db8::1", true, true},
    {"127.0.0.1", false, true},
    {"127.255.255.254", false, true},
    {"::1", false, true},
    {"::ffff:127.0.0.1", false, true},
    {"64:ff9b::127.0.0.1", false, true},
    {"2002:7f00:1::1", false, true},
    {"::127.0.0.1", false, true},
    {"::ffff:10.0.0.1", true, true},
    {"0.0.0.0", false, false},
    {"0.1.2.3", false, false},
    {"::", false, false},
    {"169.254.169.254", false, false},
    {"::ffff:169.254.169.254", false, false},
    {"64:ff9b::a9fe:a9fe", false, false},
    {"2002:a9fe:a9fe::1", false, false},
    {"fe80::1", false, false},
    {"febf::1", false, false},
    {"fec0::1", false, false},
    {"224.0.0.1", false, false},
    {"239.255.255.255", false, false},
    {"240.0.0.1", false, false},
    {"255.255.255.255", false, false},
    {"ff02::1", false, false},
    {"192.0.0.8", false, false},
    {"100::1", false, false},
    {"64:ff9b:1::7f00:1", false, false},
    {"64:ff9b:1:ffff:a:b:c:d", false, false},
    {"64:ff9b:2::1", true, true},
    {"2001:0:7f00:1::80ff:fffe", false, false},
    {"2001:0:ffff:ffff::1", false, false},
    {"2001:1::1", true, true},
};

IpAddress address_of(const char* text) { return IpAddress::parse(text).value(); }

std::vector<Network> networks(std::initializer_list<const char*> texts) {
  std::vector<Network> all;
  for (const auto* text : texts) all.push_back(Network::parse(text).value());
  return all;
}

const std::vector<IpAddress> kOwn{address_of("10.9.9.9"), address_of("fd00::9")};

TEST(Targets, F47_ForbiddenNetworks) {
  for (const auto& one : kTargets) {
    EXPECT_EQ(check_target(address_of(one.address), {}, kOwn).ok(), one.without_loopback) << one.address;
    EXPECT_EQ(check_target(address_of(one.address), {.allow_loopback = true}, kOwn).ok(), one.with_loopback) << one.address;
  }
}

TEST(Targets, F47_OwnAddressesAreAsLoopback) {
  for (const auto* own : {"10.9.9.9", "fd00::9", "::ffff:10.9.9.9", "64:ff9b::10.9.9.9"}) {
    const auto refused = check_target(address_of(own), {}, kOwn);
    ASSERT_FALSE(refused.ok()) << own;
    EXPECT_NE(refused.error().message().find("this machine's own address"), std::string::npos);
    EXPECT_TRUE(check_target(address_of(own), {.allow_loopback = true}, kOwn).ok()) << own;
  }
}

TEST(Targets, F47_TheSmallestNetworkDecides) {
  struct Case {
    const char* name;
    const char* address;
    Grounds grounds;
    bool permitted;
  };
  const Case cases[] = {
      {"forbidden", "10.1.2.3", {.forbidden = networks({"10.0.0.0/8"})}, false},
      {"forbidden address", "10.1.2.3", {.forbidden = networks({"10.1.2.3"})}, false},
      {"mapped into a forbidden one", "::ffff:10.1.2.3", {.forbidden = networks({"10.0.0.0/8"})}, false},
      {"another one is forbidden", "10.1.2.3", {.forbidden = networks({"10.2.0.0/16"})}, true},
      {"exception", "10.1.2.3", {.allowed = networks({"10.1.0.0/16"}), .forbidden = networks({"10.0.0.0/8"})}, true},
      {"exception's exception",
       "10.1.2.3",
       {.allowed = networks({"10.1.0.0/16"}), .forbidden = networks({"10.1.2.0/24"})},
       false},
      {"both", "10.1.2.3", {.allowed = networks({"10.0.0.0/8"}), .forbidden = networks({"10.0.0.0/8"})}, false},
      {"all but one", "203.0.113.9", {.allowed = networks({"10.0.0.0/8"}), .forbidden = networks({"0.0.0.0/0", "::/0"})}, false},
      {"that one", "10.1.2.3", {.allowed = networks({"10.0.0.0/8"}), .forbidden = networks({"0.0.0.0/0", "::/0"})}, true},
      {"link-local in part", "169.254.7.1", {.allowed = networks({"169.254.7.0/24"})}, true},
      {"link-local elsewhere", "169.254.169.254", {.allowed = networks({"169.254.7.0/24"})}, false},
      {"everything is not everything", "127.0.0.1", {.allowed = networks({"0.0.0.0/0", "::/0"})}, false},
      {"loopback by its network", "127.0.0.1", {.allowed = networks({"127.0.0.0/8"})}, true},
      {"loopback but for one", "127.0.0.5", {.allow_loopback = true, .forbidden = networks({"127.0.0.5"})}, false},
      {"own address in an allowed network", "10.9.9.9", {.allowed = networks({"10.0.0.0/8"})}, false},
      {"own address itself", "10.9.9.9", {.allowed = networks({"10.9.9.9"})}, true},
  };
  for (const auto& one : cases)
    EXPECT_EQ(check_target(address_of(one.address), one.grounds, kOwn).ok(), one.permitted) << one.name;
}

TEST(IpAddress, ReadsAndRefuses) {
  EXPECT_EQ(IpAddress::parse("2001:DB8:0::1")->text(), "2001:db8::1");
  EXPECT_EQ(IpAddress::parse("::1")->host_text(), "[::1]");
  EXPECT_EQ(IpAddress::parse("10.0.0.1")->host_text(), "10.0.0.1");
  EXPECT_EQ(IpAddress::from_octets(std::string("\x7f\0\0\1", 4))->text(), "127.0.0.1");
  EXPECT_FALSE(IpAddress::from_octets("12345").ok());
  for (const auto* bad : {"", "10.0.0", "10.0.0.256", "010.0.0.1", "0x7f.1", "2130706433", "[::1]", "::1%lo", "localhost"}) {
    EXPECT_FALSE(IpAddress::parse(bad).ok()) << bad;
  }
}

TEST(Url, TakesHttpAndHttpsOnly) {
  const auto url = parse_url("http://a.localhost:5002/.well-known/acme-challenge/x");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->host, "a.localhost");
  EXPECT_EQ(url->port, 5002);
  EXPECT_EQ(parse_url("https://[::1]/x")->port, 443);
  EXPECT_EQ(parse_url("https://[::1]/x")->host, "[::1]");
  EXPECT_EQ(parse_url("http://a/x")->port, 80);
}

TEST(Url, F45_RefusesOtherSchemesAndUserNames) {
  for (const auto& bad : {std::string("file:///etc/passwd"), std::string("ftp://a/"), std::string("gopher://a/"),
                          std::string("//a/"), std::string("/x"), std::string(""), std::string("http://u@a/"),
                          std::string("http://u:p@a/"), std::string("http://a:99999/"), "http://a/" + std::string(2000, 'x')}) {
    EXPECT_FALSE(parse_url(bad).ok()) << bad.substr(0, 40);
  }
}

TEST(Resolve, LocalhostAndLiteralsAskNobody) {
  const auto expired = std::chrono::steady_clock::now();
  const auto below = dns::addresses_of("www.Example.localhost", {"192.0.2.1:53"}, expired);
  ASSERT_TRUE(below.ok());
  ASSERT_EQ(below->size(), 2U);
  EXPECT_EQ(below->at(0).text(), "::1");
  EXPECT_EQ(below->at(1).text(), "127.0.0.1");
  EXPECT_EQ(dns::addresses_of("10.0.0.1", {}, expired)->at(0).text(), "10.0.0.1");
  EXPECT_EQ(dns::addresses_of("[2001:db8::1]", {}, expired)->at(0).text(), "2001:db8::1");
}

}  // namespace
}  // namespace chancery::acme
