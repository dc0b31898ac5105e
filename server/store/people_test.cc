#include <thread>

#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::seconds;

class People : public Contract {};
INSTANTIATE_TEST_SUITE_P(Store, People, testing::ValuesIn(all_backends()), backend_name);

constexpr realm::LockoutRules kRules{5, seconds{900}, seconds{0}};

PersonRecord person_of(const std::string& name) {
  return {.name = name,
          .password = "$x",
          .roles = {"user", "web-team"},
          .enabled = true,
          .created_at = kNow,
          .created_by = "unix:root"};
}

LoginTokenRecord token_of(const std::string& id, const std::string& person) {
  return {.id = id,
          .digest = std::string(64, 'a'),
          .person = person,
          .commands = {"certificate.*"},
          .roles = {"user"},
          .note = "nightly",
          .expires_at = kNow + std::chrono::hours{1},
          .created_at = kNow,
          .created_by = "user:" + person};
}

TEST_P(People, ComeBackAsTheyWere) {
  EXPECT_OK(store_.add_person(person_of("alice")));
  const auto alice = store_.person("alice").value();
  EXPECT_EQ(alice.name, "alice");
  EXPECT_EQ(alice.password, "$x");
  EXPECT_EQ(alice.roles, (std::vector<std::string>{"user", "web-team"}));
  EXPECT_TRUE(alice.enabled);
  EXPECT_EQ(alice.created_at, kNow);
  EXPECT_EQ(alice.created_by, "unix:root");
  EXPECT_EQ(code_of(store_.add_person(person_of("alice"))), Code::Exists);
  EXPECT_EQ(code_of(store_.person("Alice")), Code::NotFound);
}

TEST_P(People, Change) {
  EXPECT_OK(store_.add_person(person_of("alice")));
  EXPECT_OK(store_.set_person_enabled("alice", false, kNow + seconds{1}));
  EXPECT_OK(store_.set_person_password("alice", "$y", kNow + seconds{2}));
  EXPECT_OK(store_.set_person_roles("alice", {}, kNow + seconds{3}));
  const auto alice = store_.person("alice").value();
  EXPECT_FALSE(alice.enabled);
  EXPECT_EQ(alice.password, "$y");
  EXPECT_TRUE(alice.roles.empty());
  EXPECT_EQ(alice.changed_at, kNow + seconds{3});
  EXPECT_EQ(code_of(store_.set_person_enabled("bob", true, kNow)), Code::NotFound);
  EXPECT_EQ(code_of(store_.set_person_password("bob", "x", kNow)), Code::NotFound);
  EXPECT_EQ(code_of(store_.set_person_roles("bob", {}, kNow)), Code::NotFound);
  EXPECT_EQ(code_of(store_.delete_person("bob")), Code::NotFound);
}

TEST_P(People, AreListedByName) {
  for (const auto* name : {"carol", "alice", "bob"}) EXPECT_OK(store_.add_person(person_of(name)));
  const auto first = store_.persons(2, "").value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items[1].name, "bob");
  const auto second = store_.persons(2, first.next).value();
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].name, "carol");
  EXPECT_EQ(second.next, "");
}

TEST_P(People, Q1_AnotherRealmHasOthers) {
  EXPECT_OK(store_.add_person(person_of("alice")));
  EXPECT_OK(store_.add_login_token(token_of("01", "alice")));
  if (!GetParam().shared) return;
  auto other = open_store(*backend_, "other");
  EXPECT_EQ(code_of(other.person("alice")), Code::NotFound);
  EXPECT_EQ(code_of(other.login_token("01")), Code::NotFound);
  EXPECT_EQ(code_of(other.delete_login_token("01")), Code::NotFound);
}

TEST_P(People, TokensGoWithTheirPerson) {
  EXPECT_EQ(code_of(store_.add_login_token(token_of("01", "alice"))), Code::NotFound);
  EXPECT_OK(store_.add_person(person_of("alice")));
  EXPECT_OK(store_.add_person(person_of("bob")));
  EXPECT_OK(store_.add_login_token(token_of("01", "alice")));
  EXPECT_OK(store_.add_login_token(token_of("02", "alice")));
  EXPECT_OK(store_.add_login_token(token_of("03", "bob")));
  const auto token = store_.login_token("01").value();
  EXPECT_EQ(token.commands, std::vector<std::string>{"certificate.*"});
  EXPECT_EQ(token.roles, std::vector<std::string>{"user"});
  EXPECT_EQ(token.note, "nightly");
  EXPECT_EQ(store_.login_tokens("alice", 10, "").value().items.size(), 2U);
  EXPECT_EQ(store_.login_tokens("", 2, "").value().next, "02");
  EXPECT_OK(store_.delete_person("alice"));
  EXPECT_EQ(code_of(store_.login_token("01")), Code::NotFound);
  EXPECT_EQ(store_.login_tokens("", 10, "").value().items.size(), 1U);
  EXPECT_OK(store_.purge_login_tokens(kNow, 10));
  EXPECT_OK(store_.login_token("03"));
  EXPECT_OK(store_.purge_login_tokens(kNow + std::chrono::hours{2}, 10));
  EXPECT_EQ(code_of(store_.login_token("03")), Code::NotFound);
}

TEST_P(People, AttemptsAreCountedUntilOneIsRight) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(store_.begin_login("a", kRules, kNow).value(), std::nullopt) << i;
    EXPECT_OK(store_.end_login("a", LoginOutcome::Wrong, kNow));
  }
  ASSERT_EQ(store_.begin_login("a", kRules, kNow).value(), std::nullopt);
  EXPECT_OK(store_.end_login("a", LoginOutcome::RightForgives, kNow));
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(store_.begin_login("a", kRules, kNow).value(), std::nullopt) << i;
    EXPECT_OK(store_.end_login("a", i == 4 ? LoginOutcome::Wrong : LoginOutcome::Wrong, kNow));
  }
  EXPECT_EQ(store_.begin_login("a", kRules, kNow).value(), seconds{900});
  EXPECT_EQ(store_.begin_login("b", kRules, kNow).value(), std::nullopt);
  EXPECT_OK(store_.end_login("b", LoginOutcome::Undecided, kNow));
  EXPECT_OK(store_.purge_login_counts(kNow, 10));
  EXPECT_EQ(store_.begin_login("a", kRules, kNow).value(), seconds{900});
  EXPECT_OK(store_.purge_login_counts(kNow + seconds{1}, 10));
  EXPECT_EQ(store_.begin_login("a", kRules, kNow).value(), std::nullopt);
}

TEST_P(People, OfManyAttemptsAtOnceNoMoreBeginThanMay) {
  if (!GetParam().shared) return;
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      auto store = open_store(*backend_);
      for (int k = 0; k < 4; ++k) {
        const auto wait = store.begin_login("a", kRules, kNow);
        if (wait.ok() && !*wait) ++begun;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(begun, kRules.failures);
}

TEST_P(People, AreInAsOftenAsTheyMay) {
  constexpr seconds kIdle{60};
  const auto login = [](const std::string& id) { return LoginSession{"alice", id, kNow + seconds{600}}; };
  EXPECT_TRUE(store_.begin_login_session(login("1"), 2, kIdle, kNow).value());
  EXPECT_TRUE(store_.begin_login_session(login("2"), 2, kIdle, kNow).value());
  EXPECT_FALSE(store_.begin_login_session(login("3"), 2, kIdle, kNow).value());
  EXPECT_TRUE(store_.begin_login_session({"bob", "4", kNow + seconds{600}}, 1, kIdle, kNow).value());
  EXPECT_OK(store_.end_login_session(login("2")));
  EXPECT_TRUE(store_.begin_login_session(login("3"), 2, kIdle, kNow).value());
  EXPECT_OK(store_.see_login_session(login("3"), kNow + seconds{50}));
  EXPECT_TRUE(store_.begin_login_session(login("5"), 2, kIdle, kNow + seconds{70}).value()) << "1 was idle for too long";
  EXPECT_EQ(code_of(store_.see_login_session(login("1"), kNow + seconds{70})), Code::NotFound);
  EXPECT_FALSE(store_.begin_login_session(login("6"), 2, kIdle, kNow + seconds{70}).value());
}

}  // namespace
}  // namespace chancery::store
