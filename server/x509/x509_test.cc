#include <gtest/gtest.h>

#include <functional>

#include "server/crypto/signature.h"
#include "server/x509/crl.h"
#include "server/x509/csr.h"
#include "server/x509/lint.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {
namespace {

constexpr auto kAlgorithm = crypto::SignatureAlgorithm::EcdsaSha256;

crypto::PrivateKey make_key() { return crypto::PrivateKey::generate(base::KeySpec{}).value(); }
const crypto::PrivateKey& ca_key() {
  static const auto kKey = make_key();
  return kKey;
}
const crypto::PrivateKey& leaf_key() {
  static const auto kKey = make_key();
  return kKey;
}
Bytes spki_of(const crypto::PrivateKey& key) {
  const auto half = key.public_key();
  return {half.spki().begin(), half.spki().end()};
}
Seconds at(const char* text) { return base::from_rfc3339(text).value(); }

TbsSpec ca_spec() {
  TbsSpec spec{.serial = Serial::random()};
  spec.subject = Name::from_slash("/C=FR/O=x/CN=Root").value();
  spec.not_before = at("2026-01-01T00:00:00Z");
  spec.not_after = at("2055-12-31T23:59:59Z");
  spec.spki = spki_of(ca_key());
  spec.is_ca = true;
  spec.path_length = 0;
  spec.key_usage = {"keyCertSign", "cRLSign"};
  spec.algorithm = kAlgorithm;
  return spec;
}

LintContext ca_context() {
  LintContext context;
  context.max_validity = std::chrono::days{12000};
  context.key_usage = {"keyCertSign", "cRLSign"};
  context.is_ca = true;
  context.path_length = 0;
  return context;
}

Certificate sign(const Bytes& tbs) {
  return Certificate::from_der(assemble_signed(tbs, kAlgorithm, ca_key().sign(kAlgorithm, tbs).value()).value()).value();
}
const Certificate& ca() {
  static const auto kCa = sign(build_tbs(ca_spec()).value());
  return kCa;
}

TbsSpec leaf_spec() {
  TbsSpec spec{.serial = Serial::random()};
  spec.issuer_der.assign(ca().subject_der().begin(), ca().subject_der().end());
  spec.subject = Name::from_slash("/CN=a.example.com").value();
  spec.not_before = at("2026-01-01T00:00:00Z");
  spec.not_after = at("2026-03-31T23:59:59Z");  // 90 days, both ends counted
  spec.spki = spki_of(leaf_key());
  spec.sans = {GeneralName::parse("a.example.com").value(), GeneralName::parse("192.0.2.1").value()};
  spec.key_usage = {"digitalSignature"};
  spec.extended_key_usage = {"serverAuth"};
  spec.authority_key_id.assign(ca().subject_key_id().begin(), ca().subject_key_id().end());
  spec.crl_urls = {"http://ca.example.com/crl"};
  spec.ca_issuer_urls = {"http://ca.example.com/ca"};
  spec.ocsp_urls = {"http://ca.example.com/ocsp"};
  spec.algorithm = kAlgorithm;
  return spec;
}

LintContext leaf_context() {
  LintContext context;
  context.issuer = ca();
  context.max_validity = std::chrono::days{90};
  context.key_usage = {"digitalSignature"};
  context.extended_key_usage = {"serverAuth"};
  return context;
}

TEST(Certificate, BuildsLintsSignsAndReads) {
  const auto root = lint_certificate(build_tbs(ca_spec()).value(), kAlgorithm, ca_context());
  ASSERT_TRUE(root.ok()) << root.error().message();
  const auto linted = lint_certificate(build_tbs(leaf_spec()).value(), kAlgorithm, leaf_context());
  ASSERT_TRUE(linted.ok()) << linted.error().message();
  const auto leaf = sign(linted->bytes());
  EXPECT_TRUE(leaf.verify_signed_by(ca()).ok());
  EXPECT_FALSE(ca().verify_signed_by(leaf).ok());
  EXPECT_EQ(leaf.sans(), leaf_spec().sans);
  EXPECT_EQ(leaf.not_after(), leaf_spec().not_after);
  EXPECT_EQ(leaf.key_usage(), leaf_spec().key_usage);
  EXPECT_EQ(Certificate::from_pem(leaf.pem()).value(), leaf);
  EXPECT_EQ(certificates_from_pem(leaf.pem() + ca().pem(), 2)->size(), 2U);
  EXPECT_FALSE(certificates_from_pem(leaf.pem() + ca().pem(), 1).ok());
  EXPECT_FALSE(certificates_from_pem("", 1).ok());
}

TEST(Certificate, C11_TimeFormChangesAt2050) {
  auto spec = leaf_spec();
  for (const char* time : {"2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "2028-02-29T12:00:00Z", "9999-12-31T23:59:59Z"}) {
    spec.not_after = at(time);
    EXPECT_EQ(sign(build_tbs(spec).value()).not_after(), at(time)) << time;
  }
}

TEST(Certificate, F31_RefusesEveryCut) {
  const Bytes der(ca().der().begin(), ca().der().end());
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(Certificate::from_der(ByteView(der).first(size)).ok()) << size;
  }
  auto longer = der;
  longer.push_back(0);
  EXPECT_FALSE(Certificate::from_der(longer).ok());
  EXPECT_EQ(Certificate::from_der(Bytes(kMaxCertificateBytes + 1)).error().code(), Code::TooLarge);
}

struct Break {
  const char* rule;
  std::function<void(TbsSpec&, LintContext&)> change;
};
const Break kBreaks[] = {
    {"serial_long_enough", [](TbsSpec& s, LintContext&) { s.serial = Serial::from_hex("01").value(); }},
    {"algorithm_agrees|differ", [](TbsSpec& s, LintContext&) { s.algorithm = crypto::SignatureAlgorithm::EcdsaSha384; }},
    {"issuer_byte_equal", [](TbsSpec& s, LintContext&) { s.issuer_der = Name::from_slash("/CN=Root").value().der().value(); }},
    {"validity_within_profile", [](TbsSpec& s, LintContext&) { s.not_after += std::chrono::seconds{1}; }},
    {"within_issuer", [](TbsSpec& s, LintContext&) { s.not_after = at("2056-01-01T00:00:00Z"); }},
    {"authority_key_id_matches", [](TbsSpec& s, LintContext&) { s.authority_key_id = Bytes(20); }},
    {"ca_as_profile", [](TbsSpec& s, LintContext&) { s.is_ca = true; }},
    {"key_cert_sign_only_for_ca", [](TbsSpec& s, LintContext&) { s.is_ca = true; }},
    {"path_length_below_issuer", [](TbsSpec& s, LintContext&) { s.is_ca = true; }},
    {"path_length_as_profile", [](TbsSpec&, LintContext& c) { c.path_length = 0; }},
    {"issuer_is_ca", [](TbsSpec&, LintContext& c) { c.issuer = sign(build_tbs(leaf_spec()).value()); }},
    {"key_usage_as_profile", [](TbsSpec& s, LintContext&) { s.key_usage.push_back("keyAgreement"); }},
    {"key_cert_sign_only_for_ca", [](TbsSpec& s, LintContext&) { s.key_usage.push_back("keyCertSign"); }},
    {"extended_key_usage_as_profile", [](TbsSpec& s, LintContext&) { s.extended_key_usage = {"clientAuth"}; }},
    {"subject_or_names", [](TbsSpec& s, LintContext&) { s.subject = {}, s.sans.clear(); }},
    {"server_has_names", [](TbsSpec& s, LintContext&) { s.sans.clear(); }},
    {"san_normal_and_unique", [](TbsSpec& s, LintContext&) { s.sans.push_back(s.sans.front()); }},
    {"common_name_among_names", [](TbsSpec& s, LintContext&) { s.sans.erase(s.sans.begin()); }},
};

TEST(Lint, EveryBreakIsNamed) {
  EXPECT_GE(certificate_rules().size(), 20U);
  for (const auto& [rule, change] : kBreaks) {
    auto spec = leaf_spec();
    auto context = leaf_context();
    change(spec, context);
    const auto linted = lint_certificate(build_tbs(spec).value(), kAlgorithm, context);
    ASSERT_FALSE(linted.ok()) << rule;
    EXPECT_EQ(linted.error().code(), Code::LintFailed);
    const std::string names(rule);
    const auto bar = names.find('|');
    const bool named = linted.error().message().find(names.substr(0, bar)) != std::string::npos ||
                       (bar != std::string::npos && linted.error().message().find(names.substr(bar + 1)) != std::string::npos);
    EXPECT_TRUE(named) << rule << ": " << linted.error().message();
  }
}

TEST(Lint, B8_SanIsCriticalWithoutSubject) {
  auto spec = leaf_spec();
  spec.subject = {};
  const auto linted = lint_certificate(build_tbs(spec).value(), kAlgorithm, leaf_context());
  EXPECT_TRUE(linted.ok()) << linted.error().message();
  EXPECT_FALSE(lint_certificate(Bytes{}, kAlgorithm, leaf_context()).ok());
}

TEST(Tbs, RefusesWhatDoesNotHold) {
  const auto refused = [](const std::function<void(TbsSpec&)>& change) {
    auto spec = leaf_spec();
    change(spec);
    return !build_tbs(spec).ok();
  };
  EXPECT_TRUE(refused([](TbsSpec& s) { s.spki = {1, 2, 3}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.key_usage = {"everything"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.extended_key_usage = {"everything"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.crl_urls = {"no url"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.not_after = s.not_before - std::chrono::seconds{1}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.sans = {GeneralName{GeneralName::Type::Dns, "A.b"}}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.is_ca = true, s.path_length = -1; }));
  EXPECT_EQ(build_tbs(ca_spec()).value().size(), build_tbs(ca_spec()).value().size());
}

TEST(Csr, C12_PossessionIsVerified) {
  const auto subject = Name::from_slash("/CN=a.example.com").value();
  auto der = make_csr(leaf_key(), subject, leaf_spec().sans).value();
  const auto csr = Csr::from_pem(to_pem(kRequestLabel, der));
  ASSERT_TRUE(csr.ok()) << csr.error().message();
  EXPECT_TRUE(csr->verify_possession().ok());
  EXPECT_EQ(csr->subject(), subject);
  EXPECT_EQ(csr->sans(), leaf_spec().sans);
  EXPECT_TRUE(csr->public_key() == leaf_key().public_key());
  der.back() ^= 1;
  EXPECT_EQ(Csr::from_der(der)->verify_possession().error().code(), Code::BadProof);
}

TEST(Csr, F32_Refuses) {
  const auto der = make_csr(leaf_key(), {}, {}).value();
  EXPECT_TRUE(Csr::from_der(der)->verify_possession().ok());
  auto trailing = der;
  trailing.push_back(0);
  EXPECT_EQ(Csr::from_der(trailing).error().code(), Code::Malformed);
  auto version = der;
  const auto at_version = std::search_n(version.begin() + 4, version.end(), 1, 0x02) - version.begin();
  version[static_cast<std::size_t>(at_version) + 2] = 1;
  EXPECT_EQ(Csr::from_der(version).error().code(), Code::Malformed);
  auto sha1 = der;
  const Bytes sha256_oid = base::from_hex("2a8648ce3d040302").value();
  const auto digest = std::search(sha1.begin(), sha1.end(), sha256_oid.begin(), sha256_oid.end());
  ASSERT_NE(digest, sha1.end());
  *(digest + 7) = 0x01;
  EXPECT_EQ(Csr::from_der(sha1).error().code(), Code::Unsupported);
  const auto pem = to_pem(kRequestLabel, der);
  EXPECT_FALSE(Csr::from_pem(pem + pem).ok());
  EXPECT_FALSE(Csr::from_pem(to_pem(kCertificateLabel, der)).ok());
  EXPECT_EQ(Csr::from_der(Bytes(kMaxRequestBytes + 1)).error().code(), Code::TooLarge);
  EXPECT_FALSE(make_csr(leaf_key(), {}, std::vector<GeneralName>(kMaxSans + 1, leaf_spec().sans[0])).ok());
}

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

TEST(Crl, BuildsLintsSignsAndReads) {
  const auto linted = lint_crl(build_crl_tbs(crl_spec()).value(), kAlgorithm, ca());
  ASSERT_TRUE(linted.ok()) << linted.error().message();
  const auto signature = ca_key().sign(kAlgorithm, linted->bytes()).value();
  const auto crl = Crl::from_der(assemble_signed(linted->bytes(), kAlgorithm, signature).value()).value();
  EXPECT_TRUE(crl.verify_signed_by(ca()).ok());
  EXPECT_EQ(crl.number(), 7U);
  ASSERT_EQ(crl.entries().size(), 2U);
  EXPECT_EQ(crl.entries()[0].serial.hex(), "ff");
  EXPECT_EQ(crl.entries()[1].reason, 1);
  EXPECT_EQ(Crl::from_pem(crl.pem())->next_update(), crl_spec().next_update);
  EXPECT_FALSE(Crl::from_der(ByteView(crl.der()).first(crl.der().size() - 1)).ok());
  auto empty = crl_spec();
  empty.entries.clear();
  EXPECT_TRUE(lint_crl(build_crl_tbs(empty).value(), kAlgorithm, ca()).ok());
}

TEST(Crl, RefusesAndLints) {
  EXPECT_GE(crl_rules().size(), 8U);
  auto spec = crl_spec();
  spec.entries.push_back(spec.entries[0]);
  EXPECT_FALSE(build_crl_tbs(spec).ok());
  for (const int reason : {7, 8, 11, -1}) {
    spec = crl_spec();
    spec.entries[0].reason = reason;
    EXPECT_FALSE(build_crl_tbs(spec).ok()) << reason;
  }
  spec = crl_spec();
  spec.next_update = spec.this_update;
  EXPECT_FALSE(build_crl_tbs(spec).ok());
  spec = crl_spec();
  spec.entries[0].revoked_at = spec.next_update;
  EXPECT_EQ(lint_crl(build_crl_tbs(spec).value(), kAlgorithm, ca()).error().code(), Code::LintFailed);
  spec = crl_spec();
  spec.number = 0;
  EXPECT_FALSE(lint_crl(build_crl_tbs(spec).value(), kAlgorithm, ca()).ok());
  EXPECT_FALSE(lint_crl(build_crl_tbs(crl_spec()).value(), crypto::SignatureAlgorithm::EcdsaSha384, ca()).ok());
  EXPECT_FALSE(lint_crl(build_crl_tbs(crl_spec()).value(), kAlgorithm, sign(build_tbs(leaf_spec()).value())).ok());
}

TEST(Crl, HundredThousandEntries) {
  auto spec = crl_spec();
  spec.entries.clear();
  for (int i = 0; i < 100'000; ++i) spec.entries.push_back({Serial::random(), spec.this_update, i % 2});
  const auto linted = lint_crl(build_crl_tbs(spec).value(), kAlgorithm, ca());
  EXPECT_TRUE(linted.ok());
}

}  // namespace
}  // namespace chancery::x509
