#include "server/base/text_pattern.h"

#include <gtest/gtest.h>

#include "server/base/name_pattern.h"

namespace chancery::base {
namespace {

struct Match {
  const char* pattern;
  const char* text;
  bool expected;
};

TEST(TextPattern, MeansWhatItSays) {
  const Match rows[] = {
      {"unix:alice", "unix:alice", true},
      {"unix:alice", "UNIX:Alice", true},
      {"unix:alice", "unix:alice2", false},
      {"user:*", "user:", true},
      {"user:*", "user:bob", true},
      {"user:*", "unix:user:bob", false},
      {"*", "", true},
      {"a*b*c", "aXbYc", true},
      {"a*b*c", "acb", false},
      {"a*b", "aab", true},
      {"*ab", "aaab", true},
      {"*ab", "aba", false},
      {"/user:[a-z]+/", "user:bob", true},
      {"/user:[a-z]+/", "xuser:bob", false},
      {"/user:[a-z]+/", "user:bob7", false},
      {"/a|b/", "b", true},
      {"/a|b/", "ab", false},
      {"/^a$/", "a", true},
      {"/a.c/", "a\nc", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(TextPattern::parse(row.pattern)->matches(row.text), row.expected) << row.pattern << " on " << row.text;
  }
}

TEST(TextPattern, RefusesWhatIsNoPattern) {
  for (const char* text : {"", "/(/", "/[z-a]/", "/a{2000}{2000}/", "/\\1/", "/(?=a)/"}) {
    const auto parsed = TextPattern::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), Code::Malformed);
  }
  EXPECT_FALSE(TextPattern::parse(std::string(513, 'a')).ok());
  EXPECT_FALSE(TextPattern::parse("/" + std::string(257, 'a') + "/").ok());
}

/// Patterns on which matchers that try everything need years.
TEST(TextPattern, F41_HostilePatternsAndTextsTakeLinearTime) {
  const std::string text(4000, 'a');
  EXPECT_FALSE(TextPattern::parse("/(a+)+b/")->matches(text));
  EXPECT_FALSE(TextPattern::parse("/(a|a|aa)*c/")->matches(text));
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "a*";
  EXPECT_FALSE(TextPattern::parse(stars + "b")->matches(text));
}

TEST(NamePattern, RegularExpressionsMeanWholeNames) {
  const auto pattern = NamePattern::parse("/web-[0-9]+\\.example\\.com/").value();
  EXPECT_TRUE(pattern.matches_name("web-12.example.com"));
  EXPECT_FALSE(pattern.matches_name("web-.example.com"));
  EXPECT_FALSE(pattern.matches_name("web-1.example.com.evil.org"));
  EXPECT_FALSE(pattern.matches_name("xweb-1.example.com"));
  EXPECT_TRUE(pattern.is_below("example.com")) << "a wildcard may stand for such a name";
  EXPECT_TRUE(pattern.tail().empty());
  EXPECT_FALSE(NamePattern::parse("/(/").ok());
}

TEST(NamePattern, TailsAreWhatAllItsNamesEndWith) {
  EXPECT_EQ(NamePattern::parse("Host.Example.com")->tail(), "host.example.com");
  EXPECT_EQ(NamePattern::parse("*.example.com")->tail(), ".example.com");
  EXPECT_EQ(NamePattern::parse("web-*.a.*.example.com")->tail(), ".example.com");
  EXPECT_EQ(NamePattern::parse(".example.com")->tail(), ".example.com");
  EXPECT_EQ(NamePattern::parse("*")->tail(), "");
  EXPECT_EQ(NamePattern::parse("10.0.0.0/8")->tail(), "");
}

}  // namespace
}  // namespace chancery::base
