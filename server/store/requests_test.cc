#include <thread>

#include "server/store/testing.h"

namespace chancery::store {
namespace {

class Requests : public Contract {};
INSTANTIATE_TEST_SUITE_P(Store, Requests, testing::ValuesIn(all_backends()), backend_name);

constexpr std::size_t kMost = 3;

RequestRow request_of(const std::string& id, const std::string& requester = "unix:alice") {
  return {.id = id,
          .kind = "enrolment",
          .state = "pending",
          .requester = requester,
          .front_end = "http",
          .uid = 1000,
          .profile = "server",
          .content = "chancery request 1\nline",
          .digest = std::string(64, 'a'),
          .wish = "{}",
          .created_at = kNow,
          .expires_at = kNow + std::chrono::hours{1}};
}

RequestStep step_of(std::int64_t number, const std::string& what, const std::string& state) {
  return {.entry = {.number = number,
                    .at = kNow,
                    .what = what,
                    .state = state,
                    .who = "unix:bob",
                    .uid = 7,
                    .roles = "ra-operator user",
                    .why = "a reason",
                    .digest = std::string(64, 'a'),
                    .files = {"00 text/plain a", "11 text/plain b"},
                    .certificate = {1, 0, 2},
                    .signature = {},
                    .chain = std::string(64, 'c')},
          .files = {}};
}

TEST_P(Requests, ComeBackAsTheyWere) {
  auto first = step_of(0, "create", "pending");
  first.files = {{.number = 0,
                  .name = "scan.pdf",
                  .type = "application/pdf",
                  .sha256 = std::string(64, 'f'),
                  .size = 3,
                  .octets = {0, 255, 7}}};
  EXPECT_OK(store_.add_request(request_of("01"), {first}, kMost));
  const auto row = store_.request("01").value();
  EXPECT_EQ(row.kind, "enrolment");
  EXPECT_EQ(row.state, "pending");
  EXPECT_EQ(row.requester, "unix:alice");
  EXPECT_EQ(row.front_end, "http");
  EXPECT_EQ(row.uid, 1000);
  EXPECT_EQ(row.profile, "server");
  EXPECT_EQ(row.content, "chancery request 1\nline");
  EXPECT_EQ(row.digest, std::string(64, 'a'));
  EXPECT_EQ(row.wish, "{}");
  EXPECT_EQ(row.created_at, kNow);
  EXPECT_EQ(row.expires_at, kNow + std::chrono::hours{1});
  EXPECT_EQ(row.serial, "");
  EXPECT_EQ(row.version, 0);
  const auto history = store_.request_history("01").value();
  ASSERT_EQ(history.size(), 1U);
  const auto& entry = history.front();
  EXPECT_EQ(entry.what, "create");
  EXPECT_EQ(entry.who, "unix:bob");
  EXPECT_EQ(entry.uid, 7);
  EXPECT_EQ(entry.roles, "ra-operator user");
  EXPECT_EQ(entry.why, "a reason");
  EXPECT_EQ(entry.files, (std::vector<std::string>{"00 text/plain a", "11 text/plain b"}));
  EXPECT_EQ(entry.certificate, (Bytes{1, 0, 2}));
  EXPECT_EQ(entry.signature, Bytes());
  EXPECT_EQ(entry.chain, std::string(64, 'c'));
  EXPECT_EQ(store_.request_files("01")->size(), 1U);
  EXPECT_TRUE(store_.request_files("01")->front().octets.empty());
  const auto file = store_.request_file("01", 0).value();
  EXPECT_EQ(file.octets, (Bytes{0, 255, 7}));
  EXPECT_EQ(file.name, "scan.pdf");
  EXPECT_EQ(code_of(store_.request_file("01", 1)), Code::NotFound);
  EXPECT_EQ(code_of(store_.request("02")), Code::NotFound);
  EXPECT_TRUE(store_.request_history("02")->empty());
  EXPECT_EQ(code_of(store_.add_request(request_of("01"), {}, kMost)), Code::Exists);
}

TEST_P(Requests, OfTwoWhoReadTheSameOneWins) {
  EXPECT_OK(store_.add_request(request_of("01"), {step_of(0, "create", "pending")}, kMost));
  auto mine = store_.request("01").value();
  auto theirs = store_.request("01").value();
  mine.digest = std::string(64, 'b');
  EXPECT_OK(store_.advance_request(mine, step_of(1, "reject", "rejected")));
  EXPECT_EQ(mine.state, "rejected");
  EXPECT_EQ(code_of(store_.advance_request(theirs, step_of(1, "grant", "approved"))), Code::Conflict);
  EXPECT_EQ(theirs.state, "pending");
  EXPECT_EQ(store_.request("01")->state, "rejected");
  EXPECT_EQ(store_.request("01")->digest, std::string(64, 'b'));
  EXPECT_EQ(store_.request_history("01")->size(), 2U);  // nothing of what lost
  auto gone = request_of("02");
  EXPECT_EQ(code_of(store_.advance_request(gone, step_of(1, "grant", "approved"))), Code::Conflict);
}

TEST_P(Requests, SomebodyHasSoManyOpenOnes) {
  for (const auto* id : {"01", "02", "03"}) EXPECT_OK(store_.add_request(request_of(id), {}, kMost));
  EXPECT_EQ(code_of(store_.add_request(request_of("04"), {}, kMost)), Code::PolicyRefused);
  EXPECT_EQ(code_of(store_.request("04")), Code::NotFound);
  EXPECT_OK(store_.add_request(request_of("05", "unix:bob"), {}, kMost));
  auto one = store_.request("01").value();
  EXPECT_OK(store_.advance_request(one, step_of(1, "grant", "approved")));
  EXPECT_EQ(code_of(store_.add_request(request_of("04"), {}, kMost)), Code::PolicyRefused);
  EXPECT_OK(store_.advance_request(one, step_of(2, "withdraw", "withdrawn")));
  EXPECT_OK(store_.add_request(request_of("04"), {}, kMost));
}

std::vector<std::string> ids(const std::vector<RequestRow>& rows) {
  std::vector<std::string> out;
  for (const auto& one : rows) out.push_back(one.id);
  return out;
}

TEST_P(Requests, ArePagedNewestFirst) {
  for (int i = 0; i < 5; ++i) {
    auto row = request_of("0" + std::to_string(i), i % 2 == 0 ? "unix:alice" : "unix:bob");
    row.created_at = kNow + std::chrono::seconds{i};
    row.state = i < 3 ? "pending" : "issued";
    EXPECT_OK(store_.add_request(row, {}, 100));
  }
  const auto first = store_.requests({}, 2, "").value();
  EXPECT_EQ(ids(first.items), (std::vector<std::string>{"04", "03"}));
  const auto second = store_.requests({}, 2, first.next).value();
  EXPECT_EQ(ids(second.items), (std::vector<std::string>{"02", "01"}));
  const auto third = store_.requests({}, 2, second.next).value();
  EXPECT_EQ(ids(third.items), std::vector<std::string>{"00"});
  EXPECT_EQ(third.next, "");
  EXPECT_EQ(ids(store_.requests({.state = "pending"}, 9, "")->items), (std::vector<std::string>{"02", "01", "00"}));
  EXPECT_EQ(ids(store_.requests({.requester = "unix:bob"}, 9, "")->items), (std::vector<std::string>{"03", "01"}));
  EXPECT_EQ(ids(store_.requests({.state = "issued", .requester = "unix:bob"}, 9, "")->items), std::vector<std::string>{"03"});
  EXPECT_EQ(code_of(store_.requests({}, 9, "nonsense")), Code::InvalidParams);
}

TEST_P(Requests, EndedOnesAreFound) {
  EXPECT_OK(store_.add_request(request_of("01"), {}, kMost));
  auto done = request_of("02");
  done.state = "issued";
  EXPECT_OK(store_.add_request(done, {}, kMost));
  EXPECT_TRUE(store_.ended_requests(kNow + std::chrono::minutes{59}, 10)->empty());
  EXPECT_EQ(store_.ended_requests(kNow + std::chrono::hours{1}, 10).value(), std::vector<std::string>{"01"});
}

TEST_P(Requests, ThoseOfAStateAreFoundByTheirAge) {
  for (const auto* id : {"01", "02", "03"}) {
    auto row = request_of(id, std::string("unix:") + id);
    row.created_at = kNow + std::chrono::seconds{id[1] - '0'};
    EXPECT_OK(store_.add_request(row, {step_of(0, "create", "pending")}, kMost));
  }
  const auto early = store_.requests_by_age(realm::RequestState::Pending, kNow + std::chrono::seconds{2}, 10, {}).value();
  ASSERT_EQ(early.items.size(), 2U);
  EXPECT_EQ(early.items.front().id, "01");
  EXPECT_TRUE(early.next.empty());
  const auto first = store_.requests_by_age(realm::RequestState::Pending, kNow + std::chrono::hours{1}, 2, {}).value();
  ASSERT_EQ(first.items.size(), 2U);
  const auto rest = store_.requests_by_age(realm::RequestState::Pending, kNow + std::chrono::hours{1}, 2, first.next).value();
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items.front().id, "03");
  EXPECT_TRUE(
      store_.requests_by_age(realm::RequestState::Processing, kNow + std::chrono::hours{1}, 10, {}).value().items.empty());
  EXPECT_FALSE(store_.requests_by_age(realm::RequestState::Pending, kNow, 10, "no key").ok());
}

TEST_P(Requests, WhatEndedGoesWithAllOfIt) {
  auto step = step_of(0, "create", "pending");
  step.files = {{.number = 0, .name = "a", .type = "text/plain", .sha256 = std::string(64, 'f'), .size = 1, .octets = {1}}};
  for (const auto* id : {"01", "02"}) EXPECT_OK(store_.add_request(request_of(id), {step}, kMost));
  const auto later = kNow + std::chrono::hours{2};
  EXPECT_TRUE(store_.finished_requests(later, 10).value().empty()) << "open ones have not ended";
  auto read = store_.request("01").value();
  const auto stale = read;
  EXPECT_OK(store_.advance_request(read, step_of(1, "reject", "rejected")));
  EXPECT_TRUE(store_.finished_requests(kNow, 10).value().empty()) << "its time is not over";
  EXPECT_EQ(store_.finished_requests(later, 10).value(), std::vector<std::string>{"01"});
  EXPECT_EQ(store_.purge_request(stale).error().code(), Code::Conflict);
  EXPECT_OK(store_.purge_request(read));
  EXPECT_EQ(store_.purge_request(read).error().code(), Code::Conflict);
  EXPECT_EQ(store_.request("01").error().code(), Code::NotFound);
  EXPECT_TRUE(store_.request_history("01").value().empty());
  EXPECT_TRUE(store_.request_files("01").value().empty());
  EXPECT_EQ(store_.request_history("02").value().size(), 1U);
  EXPECT_EQ(store_.request_files("02").value().size(), 1U);
}

}  // namespace
}  // namespace chancery::store
