#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::days;
using std::chrono::hours;

class DeltaCrls : public Contract {
 protected:
  NewCrl crl(std::uint64_t number, std::uint64_t base = 0) {
    return {.ca = "ca",
            .number = number,
            .this_update = kNow,
            .next_update = kNow + hours(2),
            .der = Bytes(70000, static_cast<std::uint8_t>(number)),
            .entries = {},
            .base = base};
  }
};
INSTANTIATE_TEST_SUITE_P(Store, DeltaCrls, testing::ValuesIn(all_backends()), backend_name);

TEST_P(DeltaCrls, ComeBackBesideTheFullOne) {
  EXPECT_OK(store_.add_crl(crl(1)));
  EXPECT_EQ(code_of(store_.latest_delta_crl("ca")), Code::NotFound);
  EXPECT_OK(store_.add_delta_crl(crl(2, 1)));
  EXPECT_OK(store_.add_delta_crl(crl(3, 1)));
  const auto delta = store_.latest_delta_crl("ca").value();
  EXPECT_EQ(delta.number, 3U);
  EXPECT_EQ(delta.base, 1U);
  EXPECT_EQ(delta.der, Bytes(70000, 3));
  EXPECT_EQ(store_.latest_crl("ca")->number, 1U);
  EXPECT_EQ(store_.latest_crl("ca")->der, Bytes(70000, 1));
  EXPECT_EQ(code_of(store_.latest_delta_crl("ca-2")), Code::NotFound);
}

TEST_P(DeltaCrls, C8_AddToTheLatestFullOneOrAreRefused) {
  EXPECT_EQ(store_.add_delta_crl(crl(2, 1)).error().code(), Code::NotFound);  // never without a base
  EXPECT_OK(store_.add_crl(crl(3)));
  EXPECT_EQ(store_.add_delta_crl(crl(4, 2)).error().code(), Code::Conflict);
  EXPECT_OK(store_.add_delta_crl(crl(5, 3)));
  EXPECT_EQ(store_.add_delta_crl(crl(4, 3)).error().code(), Code::Conflict);
  EXPECT_EQ(store_.add_delta_crl(crl(5, 3)).error().code(), Code::Exists);
  EXPECT_OK(store_.add_crl(crl(6)));
  EXPECT_EQ(store_.add_delta_crl(crl(7, 3)).error().code(), Code::Conflict);
  EXPECT_EQ(store_.latest_delta_crl("ca")->number, 5U);
}

/// However many there are, the full one and the newest delta keep their octets.
TEST_P(DeltaCrls, ManyKeepTheirBase) {
  EXPECT_OK(store_.add_crl(crl(1)));
  for (std::uint64_t n = 2; n < 60; ++n) EXPECT_OK(store_.add_delta_crl(crl(n, 1)));
  EXPECT_EQ(store_.latest_crl("ca")->der, Bytes(70000, 1));
  EXPECT_OK(store_.add_crl(crl(90)));  // numbers in between came to nothing
  EXPECT_EQ(store_.latest_delta_crl("ca")->der, Bytes(70000, 59));
}

TEST_P(DeltaCrls, CrossNothingOff) {
  EXPECT_OK(store_.add_certificate(certificate_of("01")));
  EXPECT_OK(store_.add_crl(crl(1)));
  EXPECT_OK(store_.revoke({serial_of("01"), "superseded", kNow, "unix:alice"}));
  auto delta = crl(2, 1);
  delta.entries = store_.revoked_for_crl("ca", kNow).value();
  EXPECT_OK(store_.add_delta_crl(delta));
  EXPECT_TRUE(store_.oldest_unlisted_revocation("ca").value());  // RFC 5280 5.2.4: until a full one shows it
}

}  // namespace
}  // namespace chancery::store
