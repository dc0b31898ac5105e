#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::hours;
using Times = std::vector<Seconds>;

class AcmeLimits : public Contract {};
INSTANTIATE_TEST_SUITE_P(Store, AcmeLimits, testing::ValuesIn(all_backends()), backend_name);

TEST_P(AcmeLimits, OrdersOfAnAccountHaveTheirTimes) {
  for (int i = 0; i < 3; ++i) {
    auto order = order_of("o" + std::to_string(i), "a");
    order.created_at = kNow - hours(i);
    EXPECT_OK(store_.add_acme_order(order, {}));
  }
  EXPECT_EQ(store_.acme_order_times("a", kNow - hours(9), 9).value(), (Times{kNow, kNow - hours(1), kNow - hours(2)}));
  EXPECT_EQ(store_.acme_order_times("a", kNow - hours(9), 2).value(), (Times{kNow, kNow - hours(1)}));
  EXPECT_EQ(store_.acme_order_times("a", kNow - hours(1), 9).value(), Times{kNow});
  EXPECT_EQ(store_.acme_order_times("b", kNow - hours(9), 9).value(), Times{});
}

TEST_P(AcmeLimits, CertificatesOfANameHaveTheirTimes) {
  auto one = certificate_of("01");
  EXPECT_OK(store_.add_certificate(one));
  EXPECT_EQ(store_.certificate_times("IP:10.0.0.1", kNow - hours(1), 5).value(), Times{kNow});
  EXPECT_EQ(store_.certificate_times("IP:10.0.0.1", kNow, 5).value(), Times{});
  EXPECT_EQ(store_.certificate_times("IP:10.0.0.2", kNow - hours(1), 5).value(), Times{});
}

TEST_P(AcmeLimits, TheLatestCertificateOfARequesterEnds) {
  auto one = certificate_of("01");
  one.requester = "acme:a";
  EXPECT_OK(store_.add_certificate(one));
  EXPECT_EQ(store_.latest_certificate_end("acme:a").value(), one.not_after);
  EXPECT_FALSE(store_.latest_certificate_end("acme:b").value());
}

TEST_P(AcmeLimits, OnlyPendingAuthorizationsCount) {
  const auto ends = [&] { return store_.acme_pending_ends("a", kNow - hours(1), 5).value(); };
  auto authorization = authorization_of("z", "a");
  EXPECT_OK(store_.add_acme_order(order_of("o", "a"), std::span(&authorization, 1)));
  EXPECT_EQ(ends(), Times{authorization.expires});
  authorization.status = "valid";
  EXPECT_OK(store_.update_acme_authorization(authorization));
  EXPECT_EQ(ends(), Times{});
}

TEST_P(AcmeLimits, FailuresCountForTheirNameAndAccountUntilTheyArePurged) {
  const auto times = [&](const std::string& account, const std::string& name) {
    return store_.acme_failure_times(account, name, kNow - hours(9), 9).value();
  };
  for (int i = 0; i < 3; ++i) EXPECT_OK(store_.add_acme_failure({"a", "DNS:x", kNow - hours(i), std::to_string(i)}));
  EXPECT_EQ(times("a", "DNS:x").size(), 3U);
  EXPECT_EQ(times("a", "DNS:y"), Times{});
  EXPECT_EQ(times("b", "DNS:x"), Times{});
  EXPECT_OK(store_.purge_acme_failures(kNow - hours(1), 1));
  EXPECT_EQ(times("a", "DNS:x"), (Times{kNow, kNow - hours(1)}));
  EXPECT_OK(store_.purge_acme_failures(kNow - hours(1), 5));
  EXPECT_EQ(times("a", "DNS:x"), Times{kNow});
}

}  // namespace
}  // namespace chancery::store
