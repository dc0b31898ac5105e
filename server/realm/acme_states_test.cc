#include "server/realm/acme_states.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace chancery::realm {
namespace {

/// What ought to be, written down a second time: "<state> <event>" and what it leads to.
using Expected = std::map<std::string, std::string>;

/// Every state and event: those of the table lead where they ought to, and nothing else leads anywhere.
template <class Event>
void walk(const AcmeLife<Event>& life, const Expected& expected) {
  std::set<std::string> walked;
  for (const auto state : life.states) {
    for (std::size_t i = 0; i < life.events.size(); ++i) {
      const auto event = static_cast<Event>(i);
      const auto name = std::string(state) + " " + std::string(life.events[i]);
      const auto next = life.after(state, event);
      const auto row = expected.find(name);
      EXPECT_EQ(life.allows(state, event), row != expected.end()) << name;
      if (row == expected.end()) {
        ASSERT_FALSE(next.ok()) << name;
        EXPECT_EQ(next.error().code(), Code::Conflict) << name;
        EXPECT_EQ(next.error().message(), "the " + std::string(life.what) + " is " + std::string(state) + ", which allows no " +
                                              std::string(life.events[i]));
        continue;
      }
      walked.insert(name);
      ASSERT_TRUE(next.ok()) << name << ": " << next.error().message();
      EXPECT_EQ(*next, row->second) << name;
    }
  }
  EXPECT_EQ(walked.size(), expected.size());
  EXPECT_EQ(life.moves.size(), expected.size()) << "a row that is there twice, or of an unknown state";
}

/// No row begins or ends in a word that is no state, and each state can be reached from the first.
template <class Event>
void reach(const AcmeLife<Event>& life) {
  std::set<std::string_view> reached{life.begins()};
  for (std::size_t round = 0; round < life.states.size(); ++round) {
    for (const auto& row : life.moves) {
      if (reached.contains(row.from)) reached.insert(row.to);
    }
  }
  EXPECT_EQ(reached, std::set<std::string_view>(life.states.begin(), life.states.end())) << life.what;
  for (const auto* const unknown : {"", "Pending", "valid ", "unknown"}) {
    for (std::size_t i = 0; i < life.events.size(); ++i)
      EXPECT_FALSE(life.after(unknown, static_cast<Event>(i)).ok()) << life.what << " " << unknown;
  }
}

/// RFC 8555 7.1.6: what has ended changes no more.
template <class Event>
void ends(const AcmeLife<Event>& life, const std::set<std::string_view>& last) {
  for (const auto& row : life.moves) EXPECT_FALSE(last.contains(row.from)) << life.what << " " << row.from;
  for (const auto state : life.states) {
    bool leaves = false;
    for (const auto& row : life.moves) leaves = leaves || row.from == state;
    EXPECT_NE(leaves, last.contains(state)) << life.what << " " << state;
  }
}

TEST(AcmeStates, EveryStateAndEventOfAccountsIsWalked) {
  walk(acme_account_life(), {{"valid deactivate", "deactivated"},
                             {"valid revoke", "revoked"},
                             {"valid block", "blocked"},
                             {"valid end", "deactivated"},
                             {"blocked unblock", "valid"},
                             {"blocked end", "deactivated"}});
  reach(acme_account_life());
  ends(acme_account_life(), {"deactivated", "revoked"});
  EXPECT_EQ(acme_account_life().begins(), "valid");
}

TEST(AcmeStates, EveryStateAndEventOfOrdersIsWalked) {
  walk(acme_order_life(), {{"pending prove", "ready"},
                           {"pending lose", "invalid"},
                           {"pending expire", "invalid"},
                           {"pending withdraw", "invalid"},
                           {"ready prove", "ready"},
                           {"ready lose", "invalid"},
                           {"ready expire", "invalid"},
                           {"ready withdraw", "invalid"},
                           {"ready hold", "ready"},
                           {"ready sign", "processing"},
                           {"ready refuse", "invalid"},
                           {"ready issue", "valid"},
                           {"processing issue", "valid"},
                           {"processing give-back", "ready"},
                           {"processing refuse", "invalid"}});
  reach(acme_order_life());
  ends(acme_order_life(), {"valid", "invalid"});
  EXPECT_EQ(acme_order_life().begins(), "pending");
}

TEST(AcmeStates, EveryStateAndEventOfAuthorizationsIsWalked) {
  walk(acme_authorization_life(), {{"pending prove", "valid"},
                                   {"pending fail", "invalid"},
                                   {"pending deactivate", "deactivated"},
                                   {"pending expire", "expired"},
                                   {"valid deactivate", "deactivated"},
                                   {"valid revoke", "revoked"},
                                   {"valid expire", "expired"}});
  reach(acme_authorization_life());
  ends(acme_authorization_life(), {"invalid", "deactivated", "expired", "revoked"});
  EXPECT_EQ(acme_authorization_life().begins(), "pending");
}

TEST(AcmeStates, EveryStateAndEventOfChallengesIsWalked) {
  walk(acme_challenge_life(), {{"pending begin", "processing"},
                               {"pending vouch", "valid"},
                               {"pending deny", "invalid"},
                               {"processing lapse", "pending"},
                               {"processing give-back", "processing"},
                               {"processing prove", "valid"},
                               {"processing fail", "invalid"},
                               {"processing vouch", "valid"},
                               {"processing deny", "invalid"}});
  reach(acme_challenge_life());
  ends(acme_challenge_life(), {"valid", "invalid"});
  EXPECT_EQ(acme_challenge_life().begins(), "pending");
}

/// The words of each enumerator, for nothing else says which is which.
TEST(AcmeStates, EventsHaveTheirWords) {
  const auto word = [](const auto& life, auto event) { return std::string(life.events[static_cast<std::size_t>(event)]); };
  EXPECT_EQ(word(acme_account_life(), AcmeAccountEvent::End), "end");
  EXPECT_EQ(acme_account_life().events.size(), static_cast<std::size_t>(AcmeAccountEvent::End) + 1);
  EXPECT_EQ(word(acme_order_life(), AcmeOrderEvent::Withdraw), "withdraw");
  EXPECT_EQ(acme_order_life().events.size(), static_cast<std::size_t>(AcmeOrderEvent::Withdraw) + 1);
  EXPECT_EQ(word(acme_authorization_life(), AcmeAuthorizationEvent::Expire), "expire");
  EXPECT_EQ(acme_authorization_life().events.size(), static_cast<std::size_t>(AcmeAuthorizationEvent::Expire) + 1);
  EXPECT_EQ(word(acme_challenge_life(), AcmeChallengeEvent::Deny), "deny");
  EXPECT_EQ(acme_challenge_life().events.size(), static_cast<std::size_t>(AcmeChallengeEvent::Deny) + 1);
}

}  // namespace
}  // namespace chancery::realm
