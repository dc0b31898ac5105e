#include "clients/dns/records.h"

#include <gtest/gtest.h>

namespace chancery::dns {
namespace {

using namespace std::string_literals;

TEST(Txt, JoinsItsStrings) {
  EXPECT_EQ(*read_txt("\x05hello"s), "hello");
  EXPECT_EQ(*read_txt("\x02he\x03llo"s), "hello");
  EXPECT_EQ(*read_txt("\0"s), "");
  EXPECT_EQ(*read_txt(""), "");
  std::string longest(258, 'x');
  longest.front() = '\xff';
  longest.replace(256, 2, "\x01y");
  EXPECT_EQ(*read_txt(longest), std::string(255, 'x').append("y"));
}

TEST(Txt, F46_RefusesLengthsThatGoBeyond) {
  for (const auto& bad : {"\x06hello"s, "\x01"s, "\x02he\x04llo"s, "\xff"s}) EXPECT_FALSE(read_txt(bad).ok()) << bad.size();
}

TEST(Caa, ReadsFlagsTagAndValue) {
  const auto record = read_caa("\x80\x05Issueca.example"s);
  ASSERT_TRUE(record.ok());
  EXPECT_TRUE(record->critical);
  EXPECT_EQ(record->tag, "issue");
  EXPECT_EQ(record->value, "ca.example");
  EXPECT_FALSE(read_caa("\x7f\x05issue"s)->critical);  // the other flags mean nothing (RFC 8659 4.1)
  EXPECT_EQ(read_caa("\x00\x05issue"s)->value, "");
}

TEST(Caa, F46_RefusesOtherForms) {
  const std::pair<const char*, std::string> cases[] = {
      {"empty", ""},
      {"flags only", "\0"s},
      {"no tag", "\0\0value"s},
      {"tag beyond the end", "\0\x06issue"s},
      {"tag of 255", "\0\xff"s + "issue"},
      {"blank in the tag", "\0\x05is ue;"s},
      {"hyphen in the tag", "\0\x05is-ue;"s},
      {"NUL in the tag", "\0\x05is\0ue;"s},
  };
  for (const auto& [name, rdata] : cases) EXPECT_FALSE(read_caa(rdata).ok()) << name;
}

struct Issue {
  const char* text;
  const char* issuer;
  std::vector<std::pair<std::string, std::string>> parameters;
};

TEST(IssueValue, ReadsWhatTheGrammarAllows) {
  const Issue cases[] = {
      {"", "", {}},
      {";", "", {}},
      {" \t ; ", "", {}},
      {"CA.Example", "ca.example", {}},
      {"ca.example;", "ca.example", {}},
      {" ca.example ;  ", "ca.example", {}},
      {"ca.example; accounturi=https://a/1", "ca.example", {{"accounturi", "https://a/1"}}},
      {"ca.example;a=1;B-2 = x=y ;c=", "ca.example", {{"a", "1"}, {"b-2", "x=y"}, {"c", ""}}},
      {"; a=1", "", {{"a", "1"}}},
      {"localhost", "localhost", {}},
  };
  for (const auto& one : cases) {
    const auto value = read_issue_value(one.text);
    ASSERT_TRUE(value.ok()) << one.text;
    EXPECT_EQ(value->issuer, one.issuer) << one.text;
    EXPECT_EQ(value->parameters, one.parameters) << one.text;
  }
}

TEST(IssueValue, RefusesWhatItDoesNot) {
  for (const auto& bad :
       {"ca example"s, "ca..example"s, ".example"s, "example."s, "-ca.example"s, "ca-.example"s, "ca_1.example"s,
        "ca.example a=1"s, "ca.example; a"s, "ca.example; =1"s, "ca.example; a=1;"s, "ca.example;; a=1"s, "ca.example; a=b c"s,
        "ca.example; a_b=1"s, "ca.example; a=\xc3\xa9"s, "ca.example\0"s, "ca.example; a=\x01"s, "%%%%"s}) {
    EXPECT_FALSE(read_issue_value(bad).ok()) << bad;
  }
}

TEST(IssueValue, CountsAndFinds) {
  const auto value = read_issue_value("ca.example; a=1; b=2; A=3").value();
  EXPECT_EQ(value.count("a"), 2U);
  EXPECT_EQ(value.find("a"), "1");
  EXPECT_EQ(value.count("c"), 0U);
  EXPECT_EQ(value.find("c"), "");
}

}  // namespace
}  // namespace chancery::dns
