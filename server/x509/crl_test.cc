#include "server/x509/crl.h"

#include <gtest/gtest.h>

#include "server/x509/samples.inc"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

using namespace testing;

CrlSpec crl_spec() {
  CrlSpec spec{.issuer = ca()};
  spec.algorithm = kAlgorithm;
  spec.number = 7;
  spec.this_update = at("2026-02-01T00:00:00Z");
  spec.next_update = at("2026-02-08T00:00:00Z");
  spec.entries = {{Serial::from_hex("0102").value(), at("2026-01-15T00:00:00Z"), 1},
                  {Serial::from_hex("ff").value(), at("2026-01-16T00:00:00Z"), 0}};
  return spec;
}

Crl made(const CrlSpec& spec) { return Crl::from_der(signed_by_ca(build_crl_tbs(spec).value())).value(); }

TEST(Crl, BuildsSignsAndReads) {
  const auto crl = made(crl_spec());
  EXPECT_TRUE(crl.verify_signed_by(ca()).ok());
  EXPECT_EQ(crl.verify_signed_by(sign(build_tbs(leaf_spec()).value())).error().code(), Code::BadProof);
  EXPECT_EQ(crl.number(), 7U);
  ASSERT_EQ(crl.entries().size(), 2U);
  EXPECT_EQ(crl.entries()[0], crl_spec().entries[1]);  // in the order of the serials
  EXPECT_EQ(crl.entries()[1], crl_spec().entries[0]);
  EXPECT_EQ(Crl::from_pem(crl.pem())->next_update(), crl_spec().next_update);
  auto empty = crl_spec();
  empty.entries.clear();
  EXPECT_TRUE(made(empty).entries().empty());
}

TEST(Crl, B9_ReasonIsLeftOutWhenUnspecified) {
  auto spec = crl_spec();
  spec.entries.pop_back();
  const auto with = build_crl_tbs(spec)->size();
  spec.entries[0].reason = kReasonUnspecified;
  EXPECT_EQ(build_crl_tbs(spec)->size() + 14, with);  // SEQUENCE { SEQUENCE { OID, OCTET STRING { ENUMERATED } } }
}

TEST(Crl, I11_OpensslFindsSerialsOfEveryLength) {
  auto spec = crl_spec();
  spec.entries.clear();
  for (std::size_t octets = 1; octets <= base::kMaxSerialOctets; ++octets) {
    for (const std::uint8_t lead : {0x01, 0x7f, 0x80, 0xff}) {
      Bytes magnitude(octets, 0x5a);
      magnitude.front() = lead;
      const auto serial = Serial::from_octets(magnitude);
      if (serial.ok()) spec.entries.push_back({*serial, spec.this_update, 4});
    }
  }
  const auto crl = made(spec);
  const unsigned char* cursor = crl.der().data();
  const crypto::X509CrlPtr openssl(d2i_X509_CRL(nullptr, &cursor, static_cast<long>(crl.der().size())));
  ASSERT_TRUE(openssl);
  EXPECT_EQ(X509_CRL_verify(openssl.get(), ca().public_key().get()), 1);
  for (const auto& entry : spec.entries) {
    const auto octets = entry.serial.octets();
    const crypto::BignumPtr number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
    const crypto::Asn1IntegerPtr serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
    X509_REVOKED* found = nullptr;
    EXPECT_EQ(X509_CRL_get0_by_serial(openssl.get(), &found, serial.get()), 1) << entry.serial.hex();
  }
}

TEST(Crl, ReadsWhatOpensslMade) {
  const auto crl = Crl::from_pem(kForeignCrl).value();
  const auto root = Certificate::from_pem(kRoot).value();
  EXPECT_TRUE(crl.verify_signed_by(root).ok());
  EXPECT_EQ(crl.number(), 10U);
  const std::vector<RevokedEntry> expected{
      {Serial::from_hex("01").value(), at("2026-01-02T03:04:06Z"), kReasonUnspecified},
      {Serial::from_hex("f1f2f3f4f5f6f7f8").value(), at("2026-01-02T03:04:05Z"), kReasonKeyCompromise}};
  EXPECT_EQ(crl.entries(), expected);
}

TEST(Crl, CaWithoutKeyIdentifierGetsOne) {
  auto spec = crl_spec();
  spec.issuer = Certificate::from_pem(kBareRoot).value();
  const auto crl = Crl::from_der(signed_by_ca(build_crl_tbs(spec).value())).value();
  EXPECT_TRUE(std::ranges::equal(crl.authority_key_id(), spec.issuer.key_id()));
  EXPECT_TRUE(std::ranges::equal(crl.issuer_der(), spec.issuer.subject_der()));
}

TEST(Crl, RefusesToBuild) {
  auto spec = crl_spec();
  spec.entries.push_back(spec.entries[0]);
  EXPECT_EQ(build_crl_tbs(spec).error().code(), Code::InvalidParams);
  for (const int reason : {7, 8, 11, -1}) {
    spec = crl_spec();
    spec.entries[0].reason = reason;
    EXPECT_EQ(build_crl_tbs(spec).error().code(), Code::InvalidParams) << reason;
  }
  spec = crl_spec();
  spec.next_update = spec.this_update;
  EXPECT_EQ(build_crl_tbs(spec).error().code(), Code::InvalidParams);
}

TEST(Crl, F31_RefusesEveryCut) {
  const auto crl = made(crl_spec());
  for (std::size_t size = 0; size < crl.der().size(); ++size) EXPECT_FALSE(Crl::from_der(crl.der().first(size)).ok()) << size;
  Bytes longer(crl.der().begin(), crl.der().end());
  longer.push_back(0);
  EXPECT_FALSE(Crl::from_der(longer).ok());
  EXPECT_FALSE(Crl::from_pem(kRoot).ok());
}

TEST(Crl, I22_HundredThousandEntries) {
  auto spec = crl_spec();
  spec.entries.clear();
  for (int i = 0; i < 100'000; ++i) spec.entries.push_back({Serial::random(), spec.this_update, i % 2});
  const auto linted = lint_crl(build_crl_tbs(spec).value(), kAlgorithm, ca());
  ASSERT_TRUE(linted.ok()) << linted.error().message();
  EXPECT_EQ(Crl::from_der(signed_by_ca(linted->bytes()))->entries().size(), spec.entries.size());
}

}  // namespace
}  // namespace chancery::x509
