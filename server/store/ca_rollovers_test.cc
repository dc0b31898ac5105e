#include "server/store/testing.h"

namespace chancery::store {
namespace {

class CaRollovers : public Contract {
 protected:
  static CaRollover first() {
    return {.ca = "ca",
            .generation = 2,
            .state = "preparing",
            .old_label = "ca",
            .new_label = "ca-2",
            .source = "self",
            .changed_by = "unix:alice",
            .changed_at = kNow};
  }
  void add(const char* serial, const char* ca, std::chrono::days life, const char* rule = "command") {
    auto certificate = certificate_of(serial);
    certificate.ca = ca;
    certificate.not_after = kNow + life;
    certificate.rule = rule;
    ASSERT_TRUE(store_.add_certificate(certificate).ok());
  }
};
INSTANTIATE_TEST_SUITE_P(Store, CaRollovers, testing::ValuesIn(all_backends()), backend_name);

TEST_P(CaRollovers, OfTwoWhoBeginOneIsFirst) {
  auto mine = first();
  auto other = first();
  other.changed_by = "unix:bob";
  EXPECT_OK(store_.put_ca_rollover(mine));
  EXPECT_EQ(store_.put_ca_rollover(other).error().code(), Code::Conflict);
  const auto rows = store_.ca_rollovers("ca").value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].changed_by, "unix:alice");
}

TEST_P(CaRollovers, OfTwoWhoTakeAStepOneDoes) {
  auto row = first();
  EXPECT_OK(store_.put_ca_rollover(row));
  auto mine = store_.ca_rollovers("ca")->front();
  auto other = mine;
  mine.state = "prepared";
  other.state = "aborting";
  EXPECT_OK(store_.put_ca_rollover(mine));
  EXPECT_EQ(store_.put_ca_rollover(other).error().code(), Code::Conflict);
  EXPECT_EQ(store_.ca_rollovers("ca")->front().state, "prepared");
  mine.state = "publishing";
  EXPECT_OK(store_.put_ca_rollover(mine));  // the version went along
}

TEST_P(CaRollovers, ComeNewestFirstAndAreTheRealmsOwn) {
  auto second = first();
  auto third = first();
  third.generation = 3;
  third.new_label = "ca-3";
  auto of_another = first();
  of_another.ca = "tls";
  for (auto* row : {&second, &third, &of_another}) EXPECT_OK(store_.put_ca_rollover(*row));
  const auto rows = store_.ca_rollovers("ca").value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].new_label, "ca-3");
  EXPECT_EQ(store_.ca_rollovers("tls")->size(), 1U);
  auto other = open_store(*backend_, "devices");
  EXPECT_TRUE(other.ca_rollovers("ca")->empty());
}

TEST_P(CaRollovers, LivingCertificatesAreCountedByCa) {
  using std::chrono::days;
  add("01", "ca", days{10});
  add("02", "ca", days{30});
  add("03", "ca", days{-1});
  add("04", "ca", days{40}, kRolloverRule);  // one CA's for another
  add("05", "ca", days{50});
  add("06", "ca-2", days{90});
  ASSERT_TRUE(store_.revoke({.serial = serial_of("05"), .reason = "superseded", .at = kNow, .by = "unix:alice"}).ok());
  const auto living = store_.living_by_ca(kNow, 1000).value();
  EXPECT_TRUE(living.is_whole);
  ASSERT_EQ(living.of.size(), 2U);
  EXPECT_EQ(living.of.at("ca").count, 2);
  EXPECT_EQ(living.of.at("ca").last_end, kNow + days{50});  // a revoked one is on its CRL until then
  EXPECT_EQ(living.of.at("ca-2").count, 1);
  EXPECT_TRUE(store_.living_by_ca(kNow + days{91}, 1000)->of.empty());
  EXPECT_EQ(store_.living_by_ca(kNow + days{31}, 1000)->of.at("ca").count, 0);
  EXPECT_EQ(store_.living_by_ca(kNow + days{30}, 1000)->of.at("ca").count, 1);  // its last second counts
  EXPECT_FALSE(store_.living_by_ca(kNow, 0)->is_whole);
}

}  // namespace
}  // namespace chancery::store
