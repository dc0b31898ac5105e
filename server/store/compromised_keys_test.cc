#include "server/store/testing.h"

/// Keys that were reported compromised, and their certificates that are still good.
namespace chancery::store {
namespace {

using std::chrono::seconds;

class CompromisedKeys : public Contract {
 protected:
  void add(const char* serial, const std::string& key, Added expected = Added::New) {
    auto certificate = certificate_of(serial);
    certificate.key = key;
    ASSERT_EQ(store_.add_certificate(certificate).value(), expected);
  }
  void report(const char* serial, const std::string& key) {
    EXPECT_OK(store_.revoke({.serial = serial_of(serial), .reason = "keyCompromise", .at = kNow, .compromised_key = key}));
  }
  std::vector<std::string> swept() {
    const auto sweeps = store_.key_sweeps().value();
    std::vector<std::string> keys;
    for (const auto& sweep : sweeps) keys.push_back(sweep.spki);
    return keys;
  }
  const std::string a_ = std::string(64, 'a');
  const std::string b_ = std::string(64, 'b');
};

INSTANTIATE_TEST_SUITE_P(Store, CompromisedKeys, testing::ValuesIn(all_backends()), backend_name);

TEST_P(CompromisedKeys, B4_AReportHasTheOthersLookedForOnce) {
  add("01", a_);
  add("02", a_);
  EXPECT_TRUE(swept().empty());
  report("01", a_);
  EXPECT_EQ(swept(), std::vector{a_});
  const auto sweeps = store_.key_sweeps().value();
  report("02", a_);  // as the sweep does: known already, nothing more to look for
  EXPECT_OK(store_.end_key_sweep(sweeps.at(0)));
  EXPECT_TRUE(swept().empty());
}

TEST_P(CompromisedKeys, B4_WhatCameAfterTheReportIsLookedForToo) {
  add("01", a_);
  report("01", a_);
  const auto sweeps = store_.key_sweeps().value();
  add("02", a_, Added::Compromised);  // signed before the report, stored behind the back of a sweep that was there already
  EXPECT_OK(store_.end_key_sweep(sweeps.at(0)));
  EXPECT_EQ(swept(), std::vector{a_});
  EXPECT_OK(store_.end_key_sweep(store_.key_sweeps().value().at(0)));
  add("03", b_);
  add("04", "");
  EXPECT_TRUE(swept().empty());
}

TEST_P(CompromisedKeys, AReportThatIsRefusedLeavesNothing) {
  add("01", a_);
  EXPECT_OK(store_.revoke({.serial = serial_of("01"), .reason = "superseded", .at = kNow}));
  EXPECT_EQ(code_of(store_.revoke({.serial = serial_of("01"), .reason = "keyCompromise", .at = kNow, .compromised_key = a_})),
            Code::Conflict);
  EXPECT_TRUE(swept().empty());
}

TEST_P(CompromisedKeys, TheLivingComePageByPage) {
  for (const auto* serial : {"01", "02", "03", "04", "05"}) add(serial, a_);
  EXPECT_OK(store_.revoke({.serial = serial_of("02"), .reason = "superseded", .at = kNow}));
  EXPECT_OK(store_.revoke({.serial = serial_of("04"), .reason = "certificateHold", .at = kNow}));
  std::vector<std::string> seen;
  std::optional<LivingCertificate> last;
  for (;;) {
    const auto page = store_.living_certificates(last, kNow, 2).value();
    if (page.empty()) break;
    EXPECT_LE(page.size(), 2U);
    for (const auto& one : page) {
      EXPECT_EQ(one.der, certificate_of(one.serial.hex().c_str()).der);
      seen.push_back(one.serial.hex());
    }
    last = page.back();
  }
  EXPECT_EQ(seen, (std::vector<std::string>{serial_of("01").hex(), serial_of("03").hex(), serial_of("04").hex(),
                                            serial_of("05").hex()}));
  const auto after_their_end = certificate_of("01").not_after + seconds{1};
  EXPECT_TRUE(store_.living_certificates({}, after_their_end, 10)->empty());
}

TEST_P(CompromisedKeys, Q1_AnotherRealmSeesNoneOfIt) {
  add("01", a_);
  report("01", a_);
  auto other = open_store(*backend_, "devices");
  EXPECT_TRUE(other.key_sweeps()->empty());
  EXPECT_FALSE(other.compromised_key(a_).value());
  EXPECT_TRUE(other.living_certificates({}, kNow, 10)->empty());
}

}  // namespace
}  // namespace chancery::store
