#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::days;

class Retention : public Contract {
 protected:
  CertificateRecord add(const std::string& serial, days end = days(1)) {
    auto given = certificate_of(serial);
    given.not_after = kNow + end;
    given.sans = {"DNS:a.example.com", "DNS:b.example.com"};
    EXPECT_OK(store_.add_certificate(given));
    return store_.certificate(serial_of(serial)).value();
  }
  void make_crl(Seconds at) {
    NewCrl crl{.ca = "ca", .number = store_.next_crl_number("ca").value(), .this_update = at, .next_update = at + days(7)};
    crl.entries = store_.revoked_for_crl("ca", at).value();
    crl.der = Bytes(9, 1);
    EXPECT_OK(store_.add_crl(crl));
  }
};
INSTANTIATE_TEST_SUITE_P(Store, Retention, testing::ValuesIn(all_backends()), backend_name);

TEST_P(Retention, I28_WhatHasEndedGoesWithAllThatHangsOnIt) {
  const auto gone = add("01");
  add("02");
  EXPECT_OK(store_.purge_certificate(gone, kNow + days(2)));
  EXPECT_EQ(code_of(store_.certificate(serial_of("01"))), Code::NotFound);
  EXPECT_EQ(code_of(store_.node(gone.cn)), Code::NotFound);
  EXPECT_EQ(store_.search({.san = "DNS:a.example.com", .now = kNow}, 10, "")->items.size(), 1U);
  EXPECT_EQ(store_.certificate(serial_of("02"))->der, certificate_of("02").der);
  EXPECT_EQ(store_.purge_certificate(gone, kNow + days(2)).error().code(), Code::NotFound);
}

TEST_P(Retention, NothingThatLivesIsForgotten) {
  const auto living = add("01", days(30));
  EXPECT_EQ(store_.purge_certificate(living, kNow + days(30)).error().code(), Code::Conflict);  // its last second
  EXPECT_EQ(store_.purge_certificate(living, kNow).error().code(), Code::Conflict);
  auto wrongly_seen = living;
  wrongly_seen.not_after = kNow - days(9);
  EXPECT_EQ(store_.purge_certificate(wrongly_seen, kNow).error().code(), Code::Conflict);
  EXPECT_EQ(store_.certificate(serial_of("01"))->sans.size(), 2U);
}

TEST_P(Retention, B9_WhatIsRevokedStaysUntilItWasOnACrlAfterItsEnd) {
  const auto revoked = add("01");
  EXPECT_OK(store_.revoke({serial_of("01"), "superseded", kNow, "unix:alice"}));
  const auto later = kNow + days(9);
  EXPECT_EQ(store_.purge_certificate(revoked, later).error().code(), Code::Conflict);  // pending
  make_crl(kNow);
  EXPECT_EQ(store_.purge_certificate(revoked, later).error().code(), Code::Conflict);  // before its end
  make_crl(kNow + days(2));
  EXPECT_OK(store_.purge_certificate(revoked, later));
}

TEST_P(Retention, ANodeOfANewerCertificateStays) {
  const auto old = add("01");
  auto renewed = certificate_of("02");
  renewed.cn = old.cn;
  renewed.issued_at = kNow + days(1);
  EXPECT_OK(store_.add_certificate(renewed));
  EXPECT_OK(store_.purge_certificate(old, kNow + days(2)));
  EXPECT_EQ(store_.node(old.cn)->serial.hex(), "02");
}

TEST_P(Retention, C20_EveryCertificateIsSeenOnce) {
  for (const auto* serial : {"03", "01", "02"}) add(serial);
  const auto first = store_.stored_certificates("", "", 3).value();  // one more than wanted is asked for by pages
  ASSERT_GE(first.size(), 3U);
  EXPECT_EQ(first[0].serial.hex(), "01");
  EXPECT_EQ(first[0].der, certificate_of("01").der);
  const auto rest = store_.stored_certificates("02", "ca", 10).value();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].serial.hex(), "03");
}

TEST_P(Retention, AFactIsReplacedByWhoSawIt) {
  EXPECT_TRUE(store_.replace_meta("x", std::nullopt, "a").value());
  EXPECT_FALSE(store_.replace_meta("x", std::nullopt, "b").value());
  EXPECT_FALSE(store_.replace_meta("x", "b", "c").value());
  EXPECT_TRUE(store_.replace_meta("x", "a", "c").value());
  EXPECT_EQ(store_.get_meta("x").value(), "c");
}

}  // namespace
}  // namespace chancery::store
