#include "server/store/policy_records.h"

#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::minutes;

class PolicyRecords : public Contract {
 protected:
  static LivingReservation wanted(const std::string& id, const std::string& subject, int most, bool counts_living = true) {
    LivingReservation one{.id = id, .at = kNow, .alive_since = kNow - minutes{10}};
    one.living = {kNow, kNow - std::chrono::days{400}, 1};
    one.limits = {{.of_subject = true, .whose = subject, .most = most, .counts_living = counts_living},
                  {.of_subject = false, .whose = "unix:" + subject, .most = 100}};
    return one;
  }
  RefusedRequest refused(const std::string& id, minutes later, const std::string& why = "no rule") {
    return {.id = id, .last_at = kNow + later, .content = "{}", .why = why};
  }
  std::vector<std::string> ids(const std::optional<RefusedRequest>& after = {}, std::size_t limit = 100) {
    std::vector<std::string> found;
    const auto page = store_.refused_requests(kNow, after, limit).value();
    for (const auto& one : page) found.push_back(one.id);
    return found;
  }
};
INSTANTIATE_TEST_SUITE_P(Store, PolicyRecords, testing::ValuesIn(all_backends()), backend_name);

TEST_P(PolicyRecords, RoomIsTakenAsOftenAsThereIsSome) {
  EXPECT_TRUE(store_.reserve_living(wanted("1", "a", 2)).value());
  EXPECT_TRUE(store_.reserve_living(wanted("2", "a", 2)).value());
  EXPECT_FALSE(store_.reserve_living(wanted("3", "a", 2)).value());
  EXPECT_FALSE(store_.reserve_living(wanted("3", "A", 2)).value()) << "the same subject";
  EXPECT_TRUE(store_.reserve_living(wanted("4", "b", 2)).value());
  EXPECT_OK(store_.release_living("1"));
  EXPECT_OK(store_.release_living("nobody's"));
  EXPECT_TRUE(store_.reserve_living(wanted("5", "a", 2)).value());
  EXPECT_FALSE(store_.reserve_living(wanted("6", "a", 2)).value());
}

TEST_P(PolicyRecords, C6_WhoWasCutOffHasTheRoomThatItTook) {
  EXPECT_TRUE(store_.reserve_living(wanted("1", "a", 1)).value());
  EXPECT_TRUE(store_.reserve_living(wanted("1", "a", 1)).value());
  EXPECT_FALSE(store_.reserve_living(wanted("2", "a", 1)).value());
  EXPECT_OK(store_.release_living("1"));
  EXPECT_TRUE(store_.reserve_living(wanted("2", "a", 1)).value());
}

TEST_P(PolicyRecords, RoomLapses) {
  EXPECT_TRUE(store_.reserve_living(wanted("1", "a", 1)).value());
  auto later = wanted("2", "a", 1);
  later.alive_since = kNow;
  EXPECT_TRUE(store_.reserve_living(later).value());
  EXPECT_OK(store_.purge_policy_records(kNow, kNow, 100));
  EXPECT_TRUE(store_.reserve_living(wanted("3", "a", 1)).value());
}

TEST_P(PolicyRecords, ACertificateTakesItsRoomWithIt) {
  auto certificate = certificate_of("0a01");
  certificate.reservation = "1";
  EXPECT_TRUE(store_.reserve_living(wanted("1", certificate.subject, 2)).value());
  ASSERT_TRUE(store_.add_certificate(certificate).ok());
  EXPECT_TRUE(store_.reserve_living(wanted("2", certificate.subject, 1, false)).value()) << "none is being made";
  EXPECT_OK(store_.release_living("2"));
  auto by_count = wanted("3", certificate.subject, 1);
  by_count.living.now = certificate.not_before;
  by_count.living.issued_after = certificate.issued_at;
  EXPECT_FALSE(store_.reserve_living(by_count).value()) << "the certificate's own row counts";
}

TEST_P(PolicyRecords, TheSameRefusalCounts) {
  EXPECT_OK(store_.add_refused_request(refused("a", minutes{0})));
  EXPECT_OK(store_.add_refused_request(refused("b", minutes{1})));
  EXPECT_OK(store_.add_refused_request(refused("a", minutes{2}, "another reason")));
  const auto found = store_.refused_requests(kNow, {}, 10).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].id, "a");
  EXPECT_EQ(found[0].times, 2);
  EXPECT_EQ(found[0].first_at, kNow);
  EXPECT_EQ(found[0].last_at, kNow + minutes{2});
  EXPECT_EQ(found[0].why, "another reason");
}

TEST_P(PolicyRecords, RefusalsPageAndGo) {
  for (int i = 0; i < 5; ++i)
    EXPECT_OK(store_.add_refused_request(refused(std::string(1, static_cast<char>('a' + i)), minutes{i / 2})));
  EXPECT_EQ(ids(), (std::vector<std::string>{"e", "d", "c", "b", "a"}));
  EXPECT_EQ(ids(refused("d", minutes{1}), 2), (std::vector<std::string>{"c", "b"}));
  EXPECT_OK(store_.keep_refused_requests(3, 1));
  EXPECT_EQ(ids(), (std::vector<std::string>{"e", "d", "c", "a"})) << "at most one at once";
  EXPECT_OK(store_.keep_refused_requests(3, 10));
  EXPECT_EQ(ids(), (std::vector<std::string>{"e", "d", "c"}));
  EXPECT_OK(store_.purge_policy_records(kNow, kNow + minutes{2}, 100));
  EXPECT_EQ(ids(), (std::vector<std::string>{"e"}));
}

}  // namespace
}  // namespace chancery::store
