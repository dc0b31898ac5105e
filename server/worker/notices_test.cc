#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <set>

#include "server/store/ca_rollovers.h"
#include "server/worker/ca_notices.h"
#include "server/worker/notice_plan.h"
#include "server/worker/testing.h"

/// Which notices are due when, and that only chancery-notify gets them.
namespace chancery::worker {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

using std::chrono::days;
using std::chrono::seconds;

config::NoticesConfig wanted() {
  config::NoticesConfig notices;
  notices.before = {days(30), days(14), days(3)};
  notices.program = "/bin/true";
  return notices;
}

store::NewCertificate certificate(const std::string& serial, days lasts, const std::string& subject = "/CN=a") {
  return {.serial = Serial::from_hex(serial).value(),
          .ca = "ca",
          .der = {1},
          .profile = "server",
          .subject = subject,
          .cn = "a",
          .sans = {"DNS:a.example.com", "EMAIL:a@example.com", "EMAIL:not an address"},
          .not_before = kNow - days(60),
          .not_after = kNow + lasts,
          .issued_at = kNow - days(60)};
}

class NoticePlan : public ::testing::Test {
 protected:
  void add(const store::NewCertificate& one) { ASSERT_TRUE(store_.add_certificate(one).ok()); }
  /// What was planned: "serial/days".
  std::vector<std::string> planned(const config::NoticesConfig& notices, Seconds now) {
    EXPECT_TRUE(plan_notices(store_, notices, now).ok());
    std::vector<std::string> found;
    const auto page = store_.notices(100, "").value();
    for (const auto& one : page.items) found.push_back(one.serial + "/" + std::to_string(one.ahead / 86400));
    return found;
  }
  std::string why(const std::string& serial, Seconds now = kNow) {
    return why_dropped(store_, {.ca = "ca", .serial = serial, .not_after = now}, now).value();
  }
  Place place_;
  store::Store store_ = place_.open_store();
};

using Rows = std::vector<std::string>;

TEST_F(NoticePlan, EachTimeComesOnce) {
  add(certificate("0a", days(40)));
  EXPECT_EQ(planned(wanted(), kNow), Rows{});
  EXPECT_EQ(planned(wanted(), kNow + days(10) - seconds(1)), Rows{});
  EXPECT_EQ(planned(wanted(), kNow + days(10)), Rows{"0a/30"});
  EXPECT_EQ(planned(wanted(), kNow + days(11)), Rows{"0a/30"});
  EXPECT_EQ(planned(wanted(), kNow + days(26)).size(), 2U);
  EXPECT_EQ(planned(wanted(), kNow + days(37)).size(), 3U);
  EXPECT_EQ(planned(wanted(), kNow + days(60)).size(), 3U);
}

TEST_F(NoticePlan, AfterALongStopThereIsOneNoticeAndNotAllThatWereMissed) {
  add(certificate("0a", days(40)));
  EXPECT_EQ(planned(wanted(), kNow), Rows{});
  EXPECT_EQ(planned(wanted(), kNow + days(38)), Rows{"0a/3"});
}

TEST_F(NoticePlan, TheFirstLookTellsOfWhatEndsSoon) {
  add(certificate("0a", days(10)));
  add(certificate("0b", days(-1)));
  EXPECT_EQ(planned(wanted(), kNow), Rows{"0a/14"});
}

TEST_F(NoticePlan, WhatLivesNoLongerThanTheTimeIsNotToldOf) {
  auto brief = certificate("0a", days(10));
  brief.issued_at = kNow;
  add(brief);
  EXPECT_EQ(planned(wanted(), kNow), Rows{});
  EXPECT_EQ(planned(wanted(), kNow + days(8)), Rows{"0a/3"});
}

TEST_F(NoticePlan, OtherProfilesAndRevokedOnesAreNotToldOf) {
  auto notices = wanted();
  notices.profiles = {ProfileName::parse("user").value()};
  add(certificate("0a", days(10)));
  EXPECT_EQ(planned(notices, kNow), Rows{});
  add(certificate("0b", days(11)));
  ASSERT_TRUE(store_.revoke({Serial::from_hex("0b").value(), "superseded", kNow}).ok());
  EXPECT_EQ(planned(wanted(), kNow + seconds(1)), Rows{});
}

/// By a clock that was wrong for a while all looks as if it had ended.
TEST_F(NoticePlan, AClockThatWasSetBackPassesOverNobody) {
  add(certificate("0a", days(40)));
  EXPECT_EQ(planned(wanted(), kNow), Rows{});
  EXPECT_EQ(planned(wanted(), kNow + days(365)), Rows{});
  add(certificate("0b", days(50)));  // issued after it was set right
  EXPECT_EQ(planned(wanted(), kNow), Rows{});
  EXPECT_EQ(planned(wanted(), kNow + days(10)), Rows{"0a/30"});
  EXPECT_EQ(planned(wanted(), kNow + days(20)).size(), 2U);
  EXPECT_EQ(planned(wanted(), kNow + days(20) - seconds(30)).size(), 2U);
}

TEST_F(NoticePlan, WhatCasCertifiedForEachOtherIsToldWithThem) {
  auto cross = certificate("0a", days(10));
  cross.profile = "cross";
  cross.rule = store::kRolloverRule;
  add(cross);
  auto below = certificate("0b", days(10));
  below.profile = "sub-ca";
  below.rule = "root";
  add(below);
  EXPECT_EQ(planned(wanted(), kNow), Rows{});
  auto other = certificate("0c", days(15));
  other.profile = "cross";  // a profile of the realm's own may be called so
  add(other);
  EXPECT_EQ(planned(wanted(), kNow + days(1)), Rows{"0c/14"});
}

TEST(CaNotices, TheShortestTimeThatHasBegunCounts) {
  const std::array times{seconds(days(180)), seconds(days(90)), seconds(days(30))};
  const auto begun = [&](days left, days life = days(365)) {
    const auto end = kNow + days(1000);
    const auto found = time_begun(times, end - life, end, end - left);
    return found ? found->count() / 86400 : 0;
  };
  EXPECT_EQ(begun(days(181)), 0);
  EXPECT_EQ(begun(days(180)), 180);
  EXPECT_EQ(begun(days(91)), 180);
  EXPECT_EQ(begun(days(90)), 90);
  EXPECT_EQ(begun(days(1)), 30);
  EXPECT_EQ(begun(days(0)), 0);
  EXPECT_EQ(begun(days(-1)), 0);
  EXPECT_EQ(begun(days(60), days(90)), 0);  // it lived no longer than that from the start
  EXPECT_EQ(begun(days(60), days(91)), 90);
}

TEST_F(NoticePlan, MoreThanAPageIsPlannedByAndBy) {
  constexpr int kMany = 250;
  for (int i = 0; i < kMany; ++i) {
    std::array<char, 8> serial{};
    std::snprintf(serial.data(), serial.size(), "%04x", i + 1);
    add(certificate(serial.data(), days(10)));
  }
  const auto count = [&] {
    EXPECT_TRUE(plan_notices(store_, wanted(), kNow).ok());
    return store_.notices(1000, "").value().items.size();
  };
  EXPECT_LT(count(), std::size_t{kMany});
  (void)count();
  EXPECT_EQ(count(), std::size_t{kMany});
  EXPECT_EQ(count(), std::size_t{kMany});
}

TEST_F(NoticePlan, RenewedRevokedAndEndedOnesAreDropped) {
  add(certificate("0a", days(10)));
  EXPECT_EQ(why("0a"), "");
  EXPECT_EQ(why("0a", kNow + days(10)), "the certificate has ended");
  EXPECT_EQ(why("0f"), "the certificate is gone");
  auto other = certificate("0b", days(80));
  other.profile = "user";
  add(other);
  add(certificate("0c", days(80), "/CN=b"));
  add(certificate("0d", days(9)));
  EXPECT_EQ(why("0a"), "");
  add(certificate("0e", days(80)));
  EXPECT_EQ(why("0a"), "renewed by 0e");
  ASSERT_TRUE(store_.revoke({Serial::from_hex("0e").value(), "superseded", kNow}).ok());
  EXPECT_EQ(why("0a"), "");
  ASSERT_TRUE(store_.revoke({Serial::from_hex("0a").value(), "certificateHold", kNow}).ok());
  EXPECT_EQ(why("0a"), "the certificate is held");
}

TEST_F(NoticePlan, WithoutASubjectTheNamesTell) {
  add(certificate("0a", days(10), ""));
  auto other = certificate("0b", days(80), "");
  other.sans = {"DNS:a.example.com"};
  add(other);
  EXPECT_EQ(why("0a"), "");
  add(certificate("0c", days(80), ""));
  EXPECT_EQ(why("0a"), "renewed by 0c");
}

TEST(NoticesFor, GoToEachAddresseeByEachWayOnce) {
  config::NoticesConfig notices;
  notices.mail_server = "127.0.0.1:25";
  notices.to = {"PKI@example.com", "a@example.com"};
  notices.to_holders = {"certificate", "account"};
  notices.webhooks = {"https://a/", "https://b/"};
  const auto made = certificate("0a", days(10));
  const store::CertificateRecord record{.serial = made.serial, .ca = "ca", .sans = made.sans, .not_after = made.not_after};
  const auto contact =
      R"(["mailto:pki@example.com","mailto:c@example.com","mailto:c@example.com?bcc=x@y","tel:1","mailto:d@e\r\nf"])";
  std::vector<std::string> found;
  std::set<std::string> ids;
  for (const auto& one : notices_for(notices, record, days(3), contact, kNow)) {
    found.push_back(one.channel + " " + one.recipient);
    ids.insert(one.id);
  }
  EXPECT_EQ(found, (Rows{"mail PKI@example.com", "mail a@example.com", "mail c@example.com", "webhook https://a/",
                         "webhook https://b/"}));
  EXPECT_EQ(ids.size(), found.size());
  EXPECT_TRUE(notices_for({}, record, days(3), "", kNow).empty());
}

TEST(PauseAfter, GrowsUpToSixHours) {
  EXPECT_EQ(pause_after(1), seconds(5));
  EXPECT_EQ(pause_after(2), seconds(25));
  EXPECT_EQ(pause_after(5), seconds(3125));
  for (const int many : {7, 100, 1000000}) EXPECT_EQ(pause_after(many), std::chrono::hours(6));
}

TEST(NoticeCommands, C22_AreTheSendersAlone) {
  Place place;
  place.realm("default").notices = wanted();
  const auto uid = place.somebody();
  place.grant(uid, "*", {Role::Admin});
  for (const auto* name : {"door", "sender"}) {
    place.server.front_ends.push_back({.name = name,
                                       .program = std::string(name) == "sender" ? "chancery-notify" : "chancery-http",
                                       .user = std::to_string(uid),
                                       .realms = {"default"},
                                       .roles = {Role::User}});
  }
  const struct {
    const char* front_end;
    const char* want;
  } kCases[] = {{"", "denied"}, {"door", "denied"}, {"sender", "ok"}};
  for (const auto& one : kCases) {
    place.connect({uid}, [&](Session& session) {
      ASSERT_TRUE(session.open("default", one.front_end).ok());
      EXPECT_EQ(code_of(ask(session, "notice.claim")), one.want) << one.front_end;
    });
  }
}

}  // namespace
}  // namespace chancery::worker
