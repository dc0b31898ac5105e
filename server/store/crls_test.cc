#include <algorithm>

#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::days;
using std::chrono::hours;

class Crls : public Contract {
 protected:
  void add(const std::string& serial, days end = days(90)) {
    auto given = certificate_of(serial);
    given.not_after = kNow + end;
    EXPECT_OK(store_.add_certificate(given));
  }
  void revoke(const std::string& serial, const std::string& reason = "superseded", Seconds at = kNow) {
    EXPECT_OK(store_.revoke({serial_of(serial), reason, at, "unix:alice"}));
  }
  /// Makes the next CRL as the worker does. @return the serials on it, with their reasons.
  std::vector<std::string> make_crl(Seconds at) {
    NewCrl crl{.ca = "ca", .number = store_.next_crl_number("ca").value(), .this_update = at, .next_update = at + days(7)};
    crl.entries = store_.revoked_for_crl("ca", at).value();
    crl.der = Bytes(100, 0x30);
    EXPECT_OK(store_.add_crl(crl));
    std::vector<std::string> out;
    for (const auto& entry : crl.entries) out.push_back(entry.serial.hex() + " " + entry.reason);
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Store, Crls, testing::ValuesIn(all_backends()), backend_name);
using Entries = std::vector<std::string>;

TEST_P(Crls, C8_NumbersRiseAndAreNeverGivenTwice) {
  EXPECT_EQ(store_.next_crl_number("ca").value(), 1U);
  EXPECT_EQ(store_.next_crl_number("ca").value(), 2U);
  EXPECT_EQ(store_.next_crl_number("other").value(), 1U);
  EXPECT_EQ(store_.next_crl_number("ca", 40).value(), 41U);  // the journal knows more than a restored store
  EXPECT_EQ(store_.next_crl_number("ca", 40).value(), 42U);
  EXPECT_EQ(store_.next_crl_number("ca", 7).value(), 43U);
}

TEST_P(Crls, ListWhatIsRevokedOrHeldSortedBySerial) {
  for (const auto* serial : {"80", "01", "7f", "ff01", "02"}) add(serial);
  revoke("ff01", "keyCompromise");
  revoke("80");
  revoke("01", "certificateHold");
  EXPECT_EQ(make_crl(kNow), (Entries{"01 certificateHold", "80 superseded", "ff01 keyCompromise"}));
}

/// I11, I12: serials of every length and high bit come back as they were.
TEST_P(Crls, I11_I12_EverySerialIsFoundOnTheList) {
  std::vector<Serial> serials;
  for (std::size_t octets = 1; octets <= base::kMaxSerialOctets; ++octets) {
    for (const std::uint8_t lead : {0x01, 0x7f, 0x80, 0xff}) {
      Bytes bytes(octets, 0x00);
      bytes.front() = lead;
      const auto parsed = Serial::from_octets(bytes);
      if (!parsed.ok()) continue;  // 160 bits: no serial (RFC 5280 4.1.2.2)
      const auto& serial = *parsed;
      add(serial.hex());
      revoke(serial.hex());
      serials.push_back(serial);
    }
  }
  const auto entries = store_.revoked_for_crl("ca", kNow).value();
  ASSERT_EQ(entries.size(), serials.size());
  for (const auto& serial : serials) {
    EXPECT_NE(std::ranges::find(entries, serial, &RevokedCertificate::serial), entries.end()) << serial.hex();
  }
}

TEST_P(Crls, B9_AnExpiredEntryStaysUntilItWasOnOneListAfterItsEnd) {
  add("01", days(10));
  revoke("01");
  EXPECT_EQ(make_crl(kNow + days(1)), Entries{"01 superseded"});
  EXPECT_EQ(make_crl(kNow + days(11)), Entries{"01 superseded"});  // expired since, still there
  EXPECT_EQ(make_crl(kNow + days(12)), Entries{});
}

TEST_P(Crls, B9_RevokedAfterItsEndIsListedOnce) {
  add("01", days(1));
  EXPECT_EQ(make_crl(kNow + days(5)), Entries{});
  revoke("01", "keyCompromise", kNow + days(6));
  EXPECT_EQ(make_crl(kNow + days(7)), Entries{"01 keyCompromise"});
  EXPECT_EQ(make_crl(kNow + days(8)), Entries{});
}

TEST_P(Crls, ARevocationIsPendingUntilAListShowsIt) {
  add("01");
  add("02");
  EXPECT_FALSE(store_.oldest_unlisted_revocation("ca").value());
  revoke("01", "superseded", kNow + hours(1));
  revoke("02", "superseded", kNow + hours(2));
  EXPECT_EQ(store_.oldest_unlisted_revocation("ca").value(), kNow + hours(1));
  EXPECT_FALSE(store_.oldest_unlisted_revocation("other").value());
  make_crl(kNow + hours(3));
  EXPECT_FALSE(store_.oldest_unlisted_revocation("ca").value());
}

TEST_P(Crls, ARevocationWhileTheListIsMadeStaysPending) {
  for (const auto* serial : {"01", "02", "03"}) add(serial);
  revoke("01");
  revoke("03", "certificateHold");
  NewCrl crl{.ca = "ca", .this_update = kNow, .next_update = kNow + days(7), .der = Bytes(9, 1)};
  crl.number = store_.next_crl_number("ca").value();
  crl.entries = store_.revoked_for_crl("ca", kNow).value();
  revoke("02", "superseded", kNow + hours(1));                   // after the entries were read
  EXPECT_OK(store_.unrevoke(serial_of("03"), kNow + hours(1)));  // also after
  EXPECT_OK(store_.add_crl(crl));
  EXPECT_EQ(store_.oldest_unlisted_revocation("ca").value(), kNow);  // since 03 changed first
  EXPECT_EQ(make_crl(kNow + hours(2)), (Entries{"01 superseded", "02 superseded"}));
  EXPECT_FALSE(store_.oldest_unlisted_revocation("ca").value());
}

TEST_P(Crls, AHoldThatBecomesFinalIsShownAnew) {
  add("01");
  revoke("01", "certificateHold");
  EXPECT_EQ(make_crl(kNow), Entries{"01 certificateHold"});
  revoke("01", "keyCompromise", kNow + hours(1));
  EXPECT_TRUE(store_.oldest_unlisted_revocation("ca").value());
  EXPECT_EQ(make_crl(kNow + hours(2)), Entries{"01 keyCompromise"});
}

TEST_P(Crls, I22_ALongListComesBackOctetByOctet) {
  NewCrl crl{.ca = "ca", .number = 5, .this_update = kNow, .next_update = kNow + days(7)};
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kCrlChunkBytes - 1, kCrlChunkBytes, kCrlChunkBytes + 1, 40 * kCrlChunkBytes + 7}) {
    crl.der.clear();
    for (std::size_t i = 0; i < size; ++i) crl.der.push_back(static_cast<std::uint8_t>(i * 31 + i / 251));
    ++crl.number;
    EXPECT_OK(store_.add_crl(crl));
    const auto latest = store_.latest_crl("ca").value();
    EXPECT_EQ(latest.number, crl.number);
    EXPECT_EQ(latest.this_update, crl.this_update);
    EXPECT_EQ(latest.next_update, crl.next_update);
    EXPECT_TRUE(latest.der == crl.der) << size;
  }
}

TEST_P(Crls, C8_ANumberBelowTheLatestIsRefused) {
  NewCrl crl{.ca = "ca", .number = 5, .this_update = kNow, .next_update = kNow + days(7), .der = Bytes(9, 1)};
  EXPECT_OK(store_.add_crl(crl));
  EXPECT_EQ(code_of(store_.add_crl(crl)), Code::Exists);
  crl.number = 4;
  EXPECT_EQ(code_of(store_.add_crl(crl)), Code::Conflict);
  EXPECT_EQ(store_.latest_crl("ca")->number, 5U);
  crl.number = 5;
  crl.der = Bytes(9, 2);
  EXPECT_EQ(code_of(store_.add_crl(crl)), Code::Exists);
  EXPECT_EQ(store_.latest_crl("ca")->der, Bytes(9, 1));  // what was published stays what it was
}

TEST_P(Crls, WithoutAListThereIsNone) {
  EXPECT_EQ(code_of(store_.latest_crl("ca")), Code::NotFound);
  EXPECT_EQ(code_of(store_.latest_crl_facts("ca")), Code::NotFound);
  EXPECT_TRUE(store_.revoked_for_crl("ca", kNow)->empty());
}

TEST_P(Crls, ManyRevocationsComeInBatches) {
  if (GetParam().shared) GTEST_SKIP() << "memory is enough";
  constexpr int kMany = 2500;
  for (int i = 0; i < kMany; ++i) {
    auto given = certificate_of("01");
    given.serial = Serial::random();
    given.cn.clear();
    given.not_after = kNow + days(90 + i % 3);
    EXPECT_OK(store_.add_certificate(given));
    EXPECT_OK(store_.revoke({given.serial, i % 2 == 0 ? "superseded" : "certificateHold", kNow}));
  }
  EXPECT_EQ(make_crl(kNow).size(), std::size_t{kMany});
  EXPECT_FALSE(store_.oldest_unlisted_revocation("ca").value());
  EXPECT_EQ(make_crl(kNow + hours(1)).size(), std::size_t{kMany});
}

}  // namespace
}  // namespace chancery::store
