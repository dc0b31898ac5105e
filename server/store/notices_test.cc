#include <thread>

#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::seconds;

class Notices : public Contract {
 protected:
  static Notice notice(const std::string& id, Seconds turn = kNow) {
    return {.id = id,
            .ca = "ca",
            .serial = "0a",
            .ahead = 86400,
            .channel = "mail",
            .recipient = "a@b",
            .not_after = kNow + seconds(86400),
            .turn = turn};
  }
  std::vector<std::string> due(Seconds now) {
    std::vector<std::string> ids;
    const auto found = store_.due_notices(now, 10).value();
    for (const auto& one : found) ids.push_back(one.id);
    return ids;
  }
};
INSTANTIATE_TEST_SUITE_P(Store, Notices, testing::ValuesIn(all_backends()), backend_name);

TEST_P(Notices, AreAddedOnce) {
  EXPECT_OK(store_.add_notices({notice("a"), notice("b")}));
  const auto seen = store_.notice("a").value();
  ASSERT_TRUE(seen);
  EXPECT_TRUE(store_.claim_notice(*seen, "t", kNow + seconds(60)).value());
  EXPECT_OK(store_.add_notices({notice("a"), notice("c")}));
  EXPECT_EQ(store_.notice("a").value()->attempts, 1);
  EXPECT_EQ(due(kNow), (std::vector<std::string>{"b", "c"}));
  EXPECT_FALSE(store_.notice("d").value());
}

TEST_P(Notices, C5_AClaimIsOnesAlone) {
  EXPECT_OK(store_.add_notices({notice("a")}));
  const auto seen = *store_.notice("a").value();
  EXPECT_TRUE(store_.claim_notice(seen, "t1", kNow + seconds(60)).value());
  EXPECT_FALSE(store_.claim_notice(seen, "t2", kNow + seconds(60)).value());
  EXPECT_TRUE(due(kNow + seconds(59)).empty());
  EXPECT_FALSE(store_.finish_notice({"a", "t2", kNoticeSent, kNow, ""}).value());
  EXPECT_TRUE(store_.finish_notice({"a", "t1", kNoticeSent, kNow, ""}).value());
  EXPECT_FALSE(store_.finish_notice({"a", "t1", kNoticeWaiting, kNow, ""}).value());
  EXPECT_TRUE(due(kNow + seconds(1000)).empty());
}

TEST_P(Notices, C5_AClaimThatWasNotFinishedIsTakenOver) {
  EXPECT_OK(store_.add_notices({notice("a")}));
  EXPECT_TRUE(store_.claim_notice(*store_.notice("a").value(), "t1", kNow + seconds(60)).value());
  EXPECT_EQ(due(kNow + seconds(60)), std::vector<std::string>{"a"});
  EXPECT_TRUE(store_.claim_notice(*store_.notice("a").value(), "t2", kNow + seconds(120)).value());
  EXPECT_FALSE(store_.finish_notice({"a", "t1", kNoticeSent, kNow, ""}).value());  // the first one comes too late
  EXPECT_TRUE(store_.finish_notice({"a", "t2", kNoticeWaiting, kNow + seconds(200), "no answer"}).value());
  const auto now = *store_.notice("a").value();
  EXPECT_EQ(now.attempts, 2);
  EXPECT_EQ(now.problem, "no answer");
  EXPECT_TRUE(due(kNow + seconds(199)).empty());
}

TEST_P(Notices, AreListedByTheirCertificatesEnds) {
  auto early = notice("z");
  early.not_after = kNow;
  EXPECT_OK(store_.add_notices({notice("a"), notice("b"), early}));
  const auto first = store_.notices(2, "").value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items[0].id + first.items[1].id, "za");
  const auto second = store_.notices(2, first.next).value();
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].id, "b");
  EXPECT_TRUE(second.next.empty());
  EXPECT_FALSE(store_.notices(2, "nonsense").ok());
}

TEST_P(Notices, EndedOnesAreForgotten) {
  auto early = notice("z");
  early.not_after = kNow;
  EXPECT_OK(store_.add_notices({notice("a"), early}));
  EXPECT_OK(store_.purge_notices(kNow, 10));
  EXPECT_TRUE(store_.notice("z").value());
  EXPECT_OK(store_.purge_notices(kNow + seconds(1), 10));
  EXPECT_FALSE(store_.notice("z").value());
  EXPECT_TRUE(store_.notice("a").value());
}

TEST_P(Notices, CertificatesComeInTheOrderOfTheirEnds) {
  for (const auto& [serial, days] : {std::pair("0a", 3), std::pair("0b", 1), std::pair("0c", 2), std::pair("0d", 9)}) {
    auto certificate = certificate_of(serial);
    certificate.not_after = kNow + std::chrono::days(days);
    EXPECT_EQ(store_.add_certificate(certificate).value(), Added::New);
  }
  const auto until = kNow + std::chrono::days(3);
  const auto begin = std::to_string(base::to_epoch(kNow)) + ".";
  const auto first = store_.certificates_ending(until, 2, begin).value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items[0].serial.hex() + first.items[1].serial.hex(), "0b0c");
  const auto second = store_.certificates_ending(until, 2, first.next).value();
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].serial.hex(), "0a");
  EXPECT_TRUE(second.next.empty());
  EXPECT_FALSE(store_.certificates_ending(until, 2, "").ok());
}

}  // namespace
}  // namespace chancery::store
