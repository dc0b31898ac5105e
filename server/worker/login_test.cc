#include "server/worker/login.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "server/base/fd.h"
#include "server/crypto/password.h"
#include "server/worker/ldap_text.h"
#include "server/worker/login_runner.h"
#include "server/worker/testing.h"
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
  const std::string kBad[] = {"group web",
                              "web\n",
                              "group \n",
                              "group\n",
                              "\n",
                              "group web\n\n",
                              "Group web\n",
                              "group a\x01\n",
                              "group \xff\n",
                              "group a\r\n",
                              "role x\n",
                              many,
                              std::string("group a\0\n", 9),
                              "group " + std::string(256, 'x') + "\n",
                              std::string(5000, 'x')};
  for (const auto& output : kBad) EXPECT_EQ(groups_in(output).error().code(), Code::Malformed) << output;
}

TEST(LoginProgram, ALateAnswerIsNobodyElses) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const base::UniqueFd ours(ends[0]);
  const base::UniqueFd its(ends[1]);
  // Nothing where alice's answer should be, and hers behind it, when bob is asked about.
  ASSERT_EQ(::send(its.get(), "", 0, MSG_NOSIGNAL), 0);
  ASSERT_EQ(::send(its.get(), "y", 1, MSG_NOSIGNAL), 1);
  for (const auto* user : {"alice", "bob"}) {
    const auto answer = ask_program(ours.get(), "default", "staff", user, SecretBytes("a guess"));
    ASSERT_FALSE(answer.ok()) << user;
    EXPECT_EQ(answer.error().code(), Code::Unavailable) << user;
  }
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
  for (const auto& text :
       {std::string(), std::string("-a"), std::string(".a"), std::string("a b"), std::string("a "), std::string("é"),
        std::string("a*"), std::string("a/b"), std::string("a:b"), std::string(65, 'a'), std::string("a\0", 2)}) {
    EXPECT_EQ(person_name(text).error().code(), Code::InvalidParams) << text;
  }
}

// ----- what ends a login, by a clock that goes when it is told

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ask;
using testing::code_of;

class Logins : public ::testing::Test {
 protected:
  Logins() {
    auto& people = place.realm("default").people;
    people.logins["staff"] = {};
    people.logins["machines"].method = "token";
    people.limits.delay = seconds{0};
    auto store = place.open_store();
    const auto hash = crypto::hash_password(SecretBytes("correct horse"), crypto::kLeastScryptCost).value();
    for (const auto* name : {"alice", "bob"}) {
      EXPECT_TRUE(store.add_person({.name = name, .password = hash, .roles = {"auditor"}, .created_at = testing::kNow}).ok());
    }
  }

  static std::string log_in(Session& session, const std::string& user, const std::string& password = "correct horse") {
    return code_of(ask(session, "session.login", Json::object({{"stack", "staff"}, {"user", user}, {"password", password}})));
  }
  /// A stranger in the realm.
  void in_realm(const std::function<void(Session&)>& use) {
    place.connect({place.somebody()}, [&](Session& session) {
      ASSERT_TRUE(session.open("default", "").ok());
      use(session);
    });
  }

  testing::Place place;
  testing::StandInSigner signer{place.signer_socket("default")};
};

TEST_F(Logins, EndWhenTheyWereIdleForTooLong) {
  in_realm([&](Session& session) {
    ASSERT_EQ(log_in(session, "alice"), "ok");
    for (int i = 0; i < 3; ++i) {
      place.clock.time += minutes{29};
      EXPECT_EQ(code_of(ask(session, "identity.list")), "ok");
    }
    place.clock.time += minutes{30};
    EXPECT_EQ(code_of(ask(session, "identity.list")), "auth_failed");
    EXPECT_EQ(code_of(ask(session, "identity.list")), "denied");
    EXPECT_EQ(log_in(session, "alice"), "ok");
  });
}

TEST_F(Logins, EndAfterTheirLifetimeHoweverBusy) {
  place.realm("default").people.limits.lifetime = minutes{60};
  in_realm([&](Session& session) {
    ASSERT_EQ(log_in(session, "alice"), "ok");
    for (int i = 0; i < 2; ++i) {
      place.clock.time += minutes{25};
      EXPECT_EQ(code_of(ask(session, "identity.list")), "ok");
    }
    place.clock.time += minutes{10};
    EXPECT_EQ(code_of(ask(session, "identity.list")), "auth_failed");
    EXPECT_TRUE(session.identity().name.starts_with("unix:"));
  });
}

TEST_F(Logins, AreAsManyAtATimeAsTheRealmSays) {
  place.realm("default").people.limits.sessions = 2;
  in_realm([&](Session& first) {
    ASSERT_EQ(log_in(first, "alice"), "ok");
    in_realm([&](Session& second) {
      ASSERT_EQ(log_in(second, "alice"), "ok");
      in_realm([&](Session& third) {
        EXPECT_EQ(log_in(third, "alice"), "busy");
        EXPECT_TRUE(third.identity().name.starts_with("unix:"));
        EXPECT_EQ(log_in(third, "bob"), "ok");
      });
    });
    in_realm([&](Session& later) { EXPECT_EQ(log_in(later, "alice"), "ok") << "the second has ended"; });
    EXPECT_EQ(code_of(ask(first, "identity.list")), "ok");
  });
}

TEST_F(Logins, LockANameForAWhileAndNotForEver) {
  const auto attempt = [&](const std::string& password) {
    std::string code;
    in_realm([&](Session& session) { code = log_in(session, "alice", password); });
    return code;
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt("wrong"), "auth_failed") << i;
  EXPECT_EQ(attempt("correct horse"), "busy");
  place.clock.time += minutes{14};
  EXPECT_EQ(attempt("correct horse"), "busy");
  place.clock.time += minutes{1};
  EXPECT_EQ(attempt("correct horse"), "ok");
}

TEST_F(Logins, OfOneUnixUserAreCountedWhateverTheName) {
  place.realm("default").people.limits.failures_per_peer = 3;
  const auto uid = place.somebody();
  const auto attempt = [&](const std::string& user) {
    std::string code;
    place.connect({uid}, [&](Session& session) {
      ASSERT_TRUE(session.open("default", "").ok());
      code = log_in(session, user, user == "bob" ? "correct horse" : "wrong");
    });
    return code;
  };
  EXPECT_EQ(attempt("a1"), "auth_failed");
  EXPECT_EQ(attempt("a2"), "auth_failed");
  EXPECT_EQ(attempt("bob"), "ok");
  EXPECT_EQ(attempt("a3"), "auth_failed") << "who can log in as himself does not wash failures off";
  EXPECT_EQ(attempt("bob"), "busy");
  in_realm([&](Session& session) { EXPECT_EQ(log_in(session, "bob"), "ok") << "another Unix user"; });
}

TEST_F(Logins, ByATokenEndWithIt) {
  const auto token = make_token();
  auto store = place.open_store();
  ASSERT_TRUE(store
                  .add_login_token({.id = token.id,
                                    .digest = digest_of_token(token.text),
                                    .person = "alice",
                                    .commands = {},
                                    .roles = {},
                                    .note = {},
                                    .expires_at = testing::kNow + minutes{10},
                                    .created_at = testing::kNow})
                  .ok());
  const auto params = Json::object({{"stack", "machines"}, {"token", token.text}});
  in_realm([&](Session& session) {
    ASSERT_EQ(code_of(ask(session, "session.login", params)), "ok");
    place.clock.time += minutes{9};
    EXPECT_EQ(code_of(ask(session, "identity.list")), "ok");
    place.clock.time += minutes{1};
    EXPECT_EQ(code_of(ask(session, "identity.list")), "auth_failed");
    EXPECT_EQ(code_of(ask(session, "session.login", params)), "auth_failed");
  });
}

}  // namespace
}  // namespace chancery::worker
