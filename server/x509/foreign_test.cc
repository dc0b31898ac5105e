#include "server/x509/foreign.h"

#include <gtest/gtest.h>

#include "server/x509/pem.h"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

std::string text(ByteView der) { return std::string(base::as_text(der)); }
Certificate leaf() { return testing::sign(build_tbs(testing::leaf_spec()).value()); }

Bytes crl_of(std::vector<RevokedEntry> entries) {
  const auto tbs = build_crl_tbs({.issuer = testing::ca(),
                                  .algorithm = testing::kAlgorithm,
                                  .number = 9,
                                  .this_update = testing::at("2026-11-20T00:00:00Z"),
                                  .next_update = testing::at("2026-11-27T00:00:00Z"),
                                  .entries = std::move(entries)});
  return testing::signed_by_ca(*tbs);
}

TEST(Foreign, ReadsACertificateInEitherForm) {
  const auto ours = leaf();
  for (const auto& form : {text(ours.der()), ours.pem(), "Certificate:\n  text\n" + ours.pem()}) {
    const auto read = read_foreign_certificate(form);
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(read->serial, ours.serial());
    EXPECT_EQ(read->subject, ours.subject().to_slash());
    EXPECT_EQ(read->not_after, ours.not_after());
    EXPECT_EQ(read->key_usage, ours.key_usage());
    EXPECT_EQ(read->extended_key_usage, ours.extended_key_usage());
    EXPECT_EQ(read->sans.size(), ours.sans().size());
    EXPECT_EQ(read->weakness + read->misshape, "");
    EXPECT_TRUE(is_signed_by(*read, testing::ca_key().public_key()));
    EXPECT_FALSE(is_signed_by(*read, testing::leaf_key().public_key()));
    EXPECT_FALSE(is_signed_by(*read, {}));
  }
}

TEST(Foreign, RefusesWhatIsNoCertificate) {
  const auto der = text(leaf().der());
  const std::string cases[] = {"",
                               "nonsense",
                               der.substr(0, der.size() - 1),
                               der + "x",
                               leaf().pem() + leaf().pem(),
                               "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                               "-----BEGIN CERTIFICATE-----\n",
                               to_pem(kCrlLabel, crl_of({})),
                               std::string(kMaxCertificateBytes + 1, 'x')};
  for (const auto& one : cases) EXPECT_FALSE(read_foreign_certificate(one).ok()) << one.substr(0, 40);
}

TEST(Foreign, ReadsACrlInEitherForm) {
  const auto serial = Serial::from_hex("0a0b").value();
  const auto der = crl_of({{serial, testing::at("2026-11-19T00:00:00Z"), 4}});
  for (const auto& form : {text(der), to_pem(kCrlLabel, der)}) {
    const auto read = read_foreign_crl(form, testing::ca_key().public_key());
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(read->is_pem, form.front() == '-');
    EXPECT_EQ(read->number, 9U);
    ASSERT_EQ(read->entries.size(), 1U);
    EXPECT_EQ(read->entries[0], (RevokedEntry{serial, testing::at("2026-11-19T00:00:00Z"), 4}));
    EXPECT_EQ(read->repeated, 0U);
  }
}

TEST(Foreign, RefusesWhatIsNoCrlOfThatCa) {
  const auto der = text(crl_of({}));
  EXPECT_EQ(read_foreign_crl(der, testing::leaf_key().public_key()).error().code(), Code::BadProof);
  EXPECT_EQ(read_foreign_crl(der, {}).error().code(), Code::BadProof);
  for (const auto& one : {std::string(), std::string("nonsense"), der.substr(0, 40), leaf().pem()})
    EXPECT_EQ(read_foreign_crl(one, testing::ca_key().public_key()).error().code(), Code::Malformed) << one.substr(0, 40);
}

}  // namespace
}  // namespace chancery::x509
