#include "server/realm/request_history.h"

#include "server/realm/testing.h"

namespace chancery::realm {
namespace {

using testing::kNow;

const std::string kDigest(64, 'd');
const std::string kOther(64, 'e');

using History = std::vector<HistoryEntry>;

void add(History& history, std::string_view what, std::string_view state, const std::string& who,
         const std::string& digest = kDigest) {
  HistoryEntry entry{.number = static_cast<std::int64_t>(history.size()),
                     .at = kNow,
                     .what = std::string(what),
                     .state = std::string(state),
                     .who = who,
                     .uid = 1000,
                     .digest = digest};
  entry.chain = chain_of(history.empty() ? digest : history.back().chain, entry);
  history.push_back(std::move(entry));
}

History approved() {
  History history;
  add(history, kCreated, "pending", "unix:alice");
  add(history, "approve", "pending", "unix:bob");
  add(history, "comment", "pending", "unix:alice");
  add(history, "grant", "approved", "unix:carol");
  return history;
}

TEST(RequestHistory, OneThatHolds) { EXPECT_TRUE(check_history(approved(), RequestState::Approved, kDigest).ok()); }

struct Forged {
  const char* name;
  void (*forge)(History&);
};
const Forged kForged[] = {
    {"no history", [](History& h) { h.clear(); }},
    {"an approver's name", [](History& h) { h[1].who = "unix:dave"; }},
    {"a uid", [](History& h) { h[1].uid = 7; }},
    {"roles", [](History& h) { h[1].roles = "admin"; }},
    {"a time", [](History& h) { h[1].at += std::chrono::seconds{1}; }},
    {"a reason", [](History& h) { h[2].why = "other words"; }},
    {"a signature", [](History& h) { h[1].signature = {1}; }},
    {"a certificate", [](History& h) { h[1].certificate = {1}; }},
    {"an attachment", [](History& h) { h[0].files = {"00 text/plain x"}; }},
    {"an entry gone", [](History& h) { h.erase(h.begin() + 1); }},
    {"the last gone", [](History& h) { h.pop_back(); }},
    {"the first gone", [](History& h) { h.erase(h.begin()); }},
    {"two in the other order", [](History& h) { std::swap(h[1], h[2]); }},
    {"an entry twice", [](History& h) { h.push_back(h.back()); }},
    {"a chain", [](History& h) { h[3].chain.back() ^= 1; }},
    {"an unknown state",
     [](History& h) {
       h.pop_back();
       add(h, "grant", "granted", "unix:carol");
     }},
    {"a way that the table has not",
     [](History& h) {
       h.pop_back();
       add(h, "comment", "approved", "unix:carol");
     }},
    {"another content at the end",
     [](History& h) {
       h.pop_back();
       add(h, "grant", "approved", "unix:carol", kOther);
     }},
};

TEST(RequestHistory, F52_WhatWasChangedIsFound) {
  for (const auto& one : kForged) {
    auto history = approved();
    one.forge(history);
    const auto checked = check_history(history, RequestState::Approved, kDigest);
    ASSERT_FALSE(checked.ok()) << one.name;
    EXPECT_TRUE(checked.error().code() == Code::Corrupt || checked.error().code() == Code::Malformed) << one.name;
  }
  EXPECT_FALSE(check_history(approved(), RequestState::Issued, kDigest).ok());
  EXPECT_FALSE(check_history(approved(), RequestState::Approved, kOther).ok());
}

TEST(RequestHistory, F52_ApprovalsOfAnotherContentDoNotCount) {
  auto history = approved();
  EXPECT_EQ(approvals_in(history, kDigest).size(), 2U);
  EXPECT_TRUE(approvals_in(history, kOther).empty());
  add(history, "change", "pending", std::string(kRealmItself), kOther);
  add(history, "approve", "pending", "unix:bob", kOther);
  EXPECT_TRUE(check_history(history, RequestState::Pending, kOther).ok());
  EXPECT_EQ(approvals_in(history, kOther).size(), 1U);
}

TEST(RequestHistory, ARuleIsNobodysApproval) {
  History history;
  add(history, kCreated, "pending", "unix:alice");
  add(history, "grant", "approved", std::string(kRealmItself));
  history.back().why = "known hosts";
  EXPECT_TRUE(approvals_in(history, kDigest).empty());
  EXPECT_EQ(rule_in(history, kDigest), "known hosts");
  EXPECT_EQ(rule_in(history, kOther), "");
  EXPECT_EQ(rule_in(approved(), kDigest), "");
}

}  // namespace
}  // namespace chancery::realm
