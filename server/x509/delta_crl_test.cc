#include "server/x509/delta_crl.h"

#include <gtest/gtest.h>

#include "server/x509/extension.h"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

using namespace testing;

const Seconds kThen = at("2026-02-01T00:00:00Z");
const Seconds kNow = at("2026-02-02T00:00:00Z");

RevokedEntry entry(const char* serial, int reason, Seconds when = kThen) {
  return {Serial::from_hex(serial).value(), when, reason};
}

struct Case {
  const char* name;
  std::vector<RevokedEntry> full, now, changes;
};
const Case kCases[] = {
    {"nothing", {}, {}, {}},
    {"nothing new", {entry("01", 1)}, {entry("01", 1)}, {}},
    {"a revocation", {entry("01", 1)}, {entry("01", 1), entry("02", 4, kNow)}, {entry("02", 4, kNow)}},
    {"the first one", {}, {entry("02", 0, kNow)}, {entry("02", 0, kNow)}},
    {"a hold", {}, {entry("02", 6, kNow)}, {entry("02", 6, kNow)}},
    {"a hold that is lifted", {entry("01", 6)}, {}, {entry("01", 8, kNow)}},
    {"a hold that becomes final", {entry("01", 6)}, {entry("01", 1, kNow)}, {entry("01", 1, kNow)}},
    {"a hold that is lifted and put on anew", {entry("01", 6)}, {entry("01", 6, kNow)}, {entry("01", 6, kNow)}},
    {"one that has expired since", {entry("01", 1)}, {}, {}},  // never a removal: revoked is for ever
};

TEST(DeltaCrl, SaysWhatChangedAndNothingElse) {
  for (const auto& c : kCases) EXPECT_EQ(changes_since(c.full, c.now, kNow), c.changes) << c.name;
}

CrlSpec delta_spec() {
  CrlSpec spec{.issuer = ca()};
  spec.algorithm = kAlgorithm;
  spec.number = 9;
  spec.this_update = kNow;
  spec.next_update = kNow + std::chrono::hours{2};
  spec.entries = {entry("05", kReasonRemoveFromCrl, kNow), entry("06", 1)};
  spec.base = 7;
  return spec;
}

TEST(DeltaCrl, IsBuiltReadAndLinted) {
  auto tbs = build_crl_tbs(delta_spec()).value();
  EXPECT_TRUE(lint_crl(tbs, kAlgorithm, ca()).ok());
  const auto crl = Crl::from_der(signed_by_ca(tbs)).value();
  EXPECT_EQ(crl.number(), 9U);
  EXPECT_EQ(crl.base(), 7U);
  EXPECT_EQ(crl.entries(), delta_spec().entries);
  const unsigned char* cursor = crl.der().data();
  const crypto::X509CrlPtr openssl(d2i_X509_CRL(nullptr, &cursor, static_cast<long>(crl.der().size())));
  ASSERT_TRUE(openssl);
  const int place = X509_CRL_get_ext_by_NID(openssl.get(), NID_delta_crl, -1);
  ASSERT_GE(place, 0);
  EXPECT_EQ(X509_EXTENSION_get_critical(X509_CRL_get_ext(openssl.get(), place)), 1);
}

TEST(DeltaCrl, AFullOneSaysWhereItsDeltasAre) {
  auto spec = delta_spec();
  spec.base.reset();
  spec.entries.clear();
  spec.delta_urls = {"http://ca.example.com/delta-crl"};
  const auto tbs = build_crl_tbs(spec).value();
  EXPECT_TRUE(lint_crl(tbs, kAlgorithm, ca()).ok());
  EXPECT_FALSE(Crl::from_der(signed_by_ca(tbs))->base());
}

TEST(DeltaCrl, RefusesWhatIsNone) {
  const auto code = [](auto change) {
    auto spec = delta_spec();
    change(spec);
    const auto built = build_crl_tbs(spec);
    return built.ok() ? Code::Internal : built.error().code();
  };
  EXPECT_EQ(code([](CrlSpec& spec) { spec.base = 9; }), Code::InvalidParams);
  EXPECT_EQ(code([](CrlSpec& spec) { spec.base = 10; }), Code::InvalidParams);
  EXPECT_EQ(code([](CrlSpec& spec) { spec.delta_urls = {"http://ca.example.com/d"}; }), Code::InvalidParams);
  EXPECT_EQ(code([](CrlSpec& spec) { spec.base.reset(); }), Code::InvalidParams);  // removeFromCRL on a full one
  EXPECT_EQ(code([](CrlSpec& spec) { spec.entries[0].reason = 7; }), Code::InvalidParams);
  EXPECT_NE(code([](CrlSpec& spec) {
              spec.base.reset();
              spec.entries.clear();
              spec.delta_urls = {"no url"};
            }),
            Code::Internal);
}

}  // namespace
}  // namespace chancery::x509
