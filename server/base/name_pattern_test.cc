#include "server/base/name_pattern.h"

#include <gtest/gtest.h>

namespace chancery::base {
namespace {

struct Match {
  const char* pattern;
  const char* name;
  bool want;
};
constexpr Match kNames[] = {
    {"host.example.com", "host.example.com", true},
    {"HOST.example.com", "host.example.com", true},
    {"host.example.com", "a.host.example.com", false},
    {"host.example.com", "hostxexample.com", false},
    {"*.example.com", "a.example.com", true},
    {"*.example.com", "example.com", false},
    {"*.example.com", "a.b.example.com", false},
    {"*.example.com", "*.example.com", true},
    {"web-*.example.com", "web-1.example.com", true},
    {"web-*.example.com", "web.example.com", false},
    {"web-*.example.com", "*.example.com", false},
    {"*a*b*.c", "xxaxxbxx.c", true},
    {"*a*b*.c", "xxbxxaxx.c", false},
    {"*", "host", true},
    {"*", "a.b", false},
    {".example.com", "a.example.com", true},
    {".example.com", "a.b.example.com", true},
    {".example.com", "*.example.com", true},
    {".example.com", "example.com", false},
    {".example.com", "badexample.com", false},
    {"10.0.0.0/8", "10.0.0.1", false},  // an address is no name
};

TEST(NamePattern, MeansNames) {
  for (const auto& one : kNames)
    EXPECT_EQ(NamePattern::parse(one.pattern)->matches_name(one.name), one.want) << one.pattern << " " << one.name;
}

constexpr Match kWildcards[] = {
    {"secret.example.com", "example.com", true},
    {"secret.example.com", "com", false},
    {"secret.example.com", "a.example.com", false},
    {"*.example.com", "example.com", true},
    {"web-*.example.com", "example.com", true},
    {"*.a*.com", "abc.com", true},
    {".corp.example.com", "example.com", false},  // corp.example.com itself is not below itself
    {"10.0.0.1", "example.com", false},
};

TEST(NamePattern, KnowsWhatAWildcardStandsFor) {
  for (const auto& one : kWildcards)
    EXPECT_EQ(NamePattern::parse(one.pattern)->is_below(one.name), one.want) << one.pattern << " *." << one.name;
}

TEST(NamePattern, MeansAddresses) {
  const auto matches = [](const char* pattern, const Bytes& octets) {
    return NamePattern::parse(pattern)->matches_address(octets);
  };
  EXPECT_TRUE(matches("10.0.0.0/8", {10, 1, 2, 3}));
  EXPECT_FALSE(matches("10.0.0.0/8", {11, 1, 2, 3}));
  EXPECT_TRUE(matches("10.1.0.0/15", {10, 0, 2, 3}));
  EXPECT_FALSE(matches("10.0.0.0/15", {10, 2, 2, 3}));
  EXPECT_TRUE(matches("10.0.0.1", {10, 0, 0, 1}));
  EXPECT_FALSE(matches("10.0.0.1", {10, 0, 0, 2}));
  EXPECT_TRUE(matches("0.0.0.0/0", {1, 2, 3, 4}));
  EXPECT_FALSE(matches("::/0", {1, 2, 3, 4}));
  EXPECT_TRUE(matches("fd00::/8", {0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_FALSE(matches("fd00::/8", {0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_FALSE(matches("*.example.com", {10, 0, 0, 1}));
}

TEST(NamePattern, RefusesWhatMeansNothing) {
  for (const auto* text : {"",
                           ".",
                           "..",
                           "a..b",
                           "a.",
                           "-a.b",
                           "a-.b",
                           "a b",
                           "a/b",
                           "*.a.b/8",
                           ".*.a",
                           "10.0.0.0/33",
                           "10.0.0.0/",
                           "10.0.0.0/x",
                           "10.0.0",
                           "10.0.0.256",
                           "10.0.0.0/8 ",
                           "::/129",
                           "10.0.0.0/-1",
                           "DNS:a",
                           "a,b",
                           "\xc3\xa4.example"}) {
    const auto parsed = NamePattern::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), Code::Malformed) << text;
  }
  EXPECT_FALSE(NamePattern::parse(std::string(64, 'a')).ok());
}

}  // namespace
}  // namespace chancery::base
