#include "server/realm/request_states.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace chancery::realm {
namespace {

constexpr std::array kAllStates{RequestState::Pending,   RequestState::Approved, RequestState::Processing,
                                RequestState::Issued,    RequestState::Done,     RequestState::Rejected,
                                RequestState::Withdrawn, RequestState::Expired,  RequestState::Failed};
constexpr std::array kAllEvents{RequestEvent::Approve,  RequestEvent::Grant,   RequestEvent::Change, RequestEvent::Reject,
                                RequestEvent::Withdraw, RequestEvent::Comment, RequestEvent::Begin,  RequestEvent::Issue,
                                RequestEvent::Finish,   RequestEvent::Fail,    RequestEvent::Expire, RequestEvent::Retry};
static_assert(kAllStates.size() == kRequestStates);
static_assert(kAllEvents.size() == kRequestEvents);

/// Every part and set of parts: requester, approver, operator, auditor, the realm itself; r a o u m.
Parts parts_from(unsigned bits) {
  Parts parts;
  for (const auto part : {Part::Requester, Part::Approver, Part::Operator, Part::Auditor, Part::Realm}) {
    if ((bits & static_cast<unsigned>(part)) != 0) parts.add(part);
  }
  return parts;
}

/// What ought to be, written down a second time: who may, and what it leads to.
struct Expected {
  const char* who;
  const char* to;
};
const std::map<std::string, Expected> kExpected{
    {"pending approve", {"a", "pending"}},
    {"pending grant", {"am", "approved"}},
    {"pending change", {"m", "pending"}},
    {"pending reject", {"a", "rejected"}},
    {"pending withdraw", {"r", "withdrawn"}},
    {"pending comment", {"rao", "pending"}},
    {"pending expire", {"m", "expired"}},
    {"approved change", {"m", "pending"}},
    {"approved reject", {"a", "rejected"}},
    {"approved withdraw", {"r", "withdrawn"}},
    {"approved comment", {"rao", "approved"}},
    {"approved begin", {"rom", "processing"}},
    {"approved expire", {"m", "expired"}},
    {"processing comment", {"rao", "processing"}},
    {"processing issue", {"m", "issued"}},
    {"processing finish", {"m", "done"}},
    {"processing fail", {"m", "failed"}},
    {"issued comment", {"rao", "issued"}},
    {"done comment", {"rao", "done"}},
    {"rejected comment", {"rao", "rejected"}},
    {"withdrawn comment", {"rao", "withdrawn"}},
    {"expired comment", {"rao", "expired"}},
    {"failed comment", {"rao", "failed"}},
    {"failed issue", {"m", "issued"}},
    {"failed finish", {"m", "done"}},
    {"failed retry", {"o", "approved"}},
};

bool may(const std::string& who, Parts parts) {
  const std::pair<char, Part> letters[] = {
      {'r', Part::Requester}, {'a', Part::Approver}, {'o', Part::Operator}, {'u', Part::Auditor}, {'m', Part::Realm}};
  for (const auto& [letter, part] : letters) {
    if (who.find(letter) != std::string::npos && parts.has(part)) return true;
  }
  return false;
}

TEST(RequestStates, F52_EveryStateEventAndPartIsWalked) {
  std::set<std::string> walked;
  for (const auto state : kAllStates) {
    for (const auto event : kAllEvents) {
      const auto name = std::string(to_text(state)) + " " + std::string(to_text(event));
      const auto expected = kExpected.find(name);
      for (unsigned bits = 0; bits < 32; ++bits) {
        const auto parts = parts_from(bits);
        const auto next = next_state(state, event, parts);
        const auto where = name + " by " + std::to_string(bits);
        if (expected == kExpected.end()) {
          ASSERT_FALSE(next.ok()) << where;
          EXPECT_EQ(next.error().code(), Code::Conflict) << where;
          continue;
        }
        walked.insert(name);
        const std::string who(expected->second.who);
        const bool own = parts.has(Part::Requester) && !parts.has(Part::Realm) && (who == "a" || who == "am");
        if (own || !may(who, parts)) {
          ASSERT_FALSE(next.ok()) << where;
          EXPECT_EQ(next.error().code(), Code::Denied) << where;
          continue;
        }
        ASSERT_TRUE(next.ok()) << where << ": " << next.error().message();
        EXPECT_EQ(to_text(*next), expected->second.to) << where;
      }
    }
  }
  EXPECT_EQ(walked.size(), kExpected.size());
  EXPECT_EQ(request_transitions().size(), kExpected.size());
}

/// The table's own row, too, for the event that a last approval is.
TEST(RequestStates, F52_NobodyGrantsARequestOfHisOwn) {
  EXPECT_FALSE(next_state(RequestState::Pending, RequestEvent::Grant, {Part::Requester, Part::Approver}).ok());
  EXPECT_FALSE(next_state(RequestState::Pending, RequestEvent::Approve, {Part::Requester, Part::Approver}).ok());
  EXPECT_FALSE(next_state(RequestState::Pending, RequestEvent::Reject, {Part::Requester, Part::Approver, Part::Operator}).ok());
}

/// What failed alone may be tried again, or turn out to have been done.
TEST(RequestStates, NothingLeavesAnEnd) {
  for (const auto& row : request_transitions()) {
    const bool is_end = row.from != RequestState::Pending && row.from != RequestState::Approved &&
                        row.from != RequestState::Processing && row.from != RequestState::Failed;
    if (is_end) {
      EXPECT_EQ(row.from, row.to);
    }
  }
}

TEST(RequestStates, F50_StrangersSeeNothing) {
  EXPECT_FALSE(may_see({}));
  for (const auto part : {Part::Requester, Part::Approver, Part::Operator, Part::Auditor}) EXPECT_TRUE(may_see({part}));
}

TEST(RequestStates, WordsComeBack) {
  for (const auto state : kAllStates) EXPECT_EQ(request_state(to_text(state)).value(), state);
  for (const auto kind : {RequestKind::Enrolment, RequestKind::Renewal, RequestKind::Revocation, RequestKind::NameChange,
                          RequestKind::Rollover, RequestKind::RuleChange})
    EXPECT_EQ(request_kind(to_text(kind)).value(), kind);
  for (const auto* text : {"", "Pending", "pending ", "done\n"}) EXPECT_FALSE(request_state(text).ok()) << text;
  for (const auto* text : {"", "roll-over", "name_change", "rule_change"}) EXPECT_FALSE(request_kind(text).ok()) << text;
}

}  // namespace
}  // namespace chancery::realm
