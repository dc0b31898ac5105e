#include "server/worker/login.h"

#include <gtest/gtest.h>

#include "server/worker/ldap_text.h"
#include "server/worker/login_runner.h"
#include "server/worker/tokens.h"

namespace chancery::worker {
namespace {

TEST(LdapText, ValuesCannotLeaveTheirPlaceInAFilter) {
  struct Case {
    std::string value;
    std::string want;
  };
  const Case kCases[] = {{"alice", "alice"},
                         {"*", "\\2a"},
                         {"a)(uid=*", "a\\29\\28uid=\\2a"},
                         {"\\", "\\5c"},
                         {std::string("\0", 1), "\\00"},
                         {"\x7f\n", "\\7f\\0a"},
                         {"é", "\\c3\\a9"},
                         {"cn=A\\, B,dc=x", "cn=A\\5c, B,dc=x"}};
  for (const auto& one : kCases) EXPECT_EQ(escape_in_filter(one.value), one.want);
}

TEST(LdapText, WhatIsFilledInIsNotFilledAgain) {
  EXPECT_EQ(fill_filter("(&(uid={user})(member={dn}))", "{dn}", "cn={user}"), "(&(uid={dn})(member=cn={user}))");
  EXPECT_EQ(fill_filter("(uid=x)", "alice", ""), "(uid=x)");
  EXPECT_EQ(fill_filter("{us{user}er}", "a", ""), "{usaer}");
}

TEST(LoginProgram, SaysGroupsAndNothingElse) {
  EXPECT_TRUE(groups_in("").value().empty());
  EXPECT_EQ(groups_in("group web\ngroup a b\n").value(), (std::vector<std::string>{"web", "a b"}));
  std::string many;
  for (int i = 0; i < 101; ++i) many += "group x\n";
  const std::string kBad[] = {"group web",       "web\n",          "group \n",          "group\n",  "\n", "group web\n\n", "Group web\n",
                              "group a\x01\n",   "group \xff\n",   "group a\r\n",       "role x\n", many, std::string("group a\0\n", 9),
                              "group " + std::string(256, 'x') + "\n", std::string(5000, 'x')};
  for (const auto& output : kBad) EXPECT_EQ(groups_in(output).error().code(), Code::Malformed) << output;
}

TEST(Token, KnowsItsId) {
  const auto token = make_token();
  EXPECT_EQ(id_of_token(token.text), token.id);
  EXPECT_EQ(token.id.size(), 16U);
  EXPECT_NE(make_token().text, token.text);
  for (const auto* text : {"", "chancery_", ".", "x.y", "chancery"}) EXPECT_EQ(id_of_token(text), "") << text;
  EXPECT_LE(id_of_token("chancery_" + std::string(1000, 'a')).size(), 17U);
  EXPECT_NE(digest_of_token(token.text), digest_of_token(token.text + "A"));
}

TEST(PersonName, IsOneThatEveryDirectoryTellsApart) {
  EXPECT_EQ(person_name("Alice").value(), "alice");
  EXPECT_EQ(person_name("a.b_c-d@example.com").value(), "a.b_c-d@example.com");
  for (const auto& text : {std::string(), std::string("-a"), std::string(".a"), std::string("a b"), std::string("a "), std::string("é"),
                           std::string("a*"), std::string("a/b"), std::string("a:b"), std::string(65, 'a'), std::string("a\0", 2)}) {
    EXPECT_EQ(person_name(text).error().code(), Code::InvalidParams) << text;
  }
}

}  // namespace
}  // namespace chancery::worker
