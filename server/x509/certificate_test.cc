#include "server/x509/certificate.h"

#include <gtest/gtest.h>

#include <functional>

#include "server/x509/der.h"
#include "server/x509/samples.inc"
#include "server/x509/tbs.h"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

using namespace testing;

TEST(Certificate, BuildsSignsAndReads) {
  const auto leaf = sign(build_tbs(leaf_spec()).value());
  EXPECT_TRUE(leaf.verify_signed_by(ca()).ok());
  EXPECT_EQ(ca().verify_signed_by(leaf).error().code(), Code::BadProof);
  EXPECT_EQ(leaf.sans(), leaf_spec().sans);
  EXPECT_EQ(leaf.not_after(), leaf_spec().not_after);
  EXPECT_EQ(leaf.key_usage(), leaf_spec().key_usage);
  EXPECT_EQ(leaf.extended_key_usage(), leaf_spec().extended_key_usage);
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_EQ(ca().path_length(), 0);
  EXPECT_EQ(Certificate::from_pem(leaf.pem()).value(), leaf);
  EXPECT_EQ(certificates_from_pem(leaf.pem() + ca().pem(), 2)->size(), 2U);
  EXPECT_EQ(certificates_from_pem(leaf.pem() + ca().pem(), 1).error().code(), Code::TooLarge);
  EXPECT_FALSE(certificates_from_pem("", 1).ok());
}

TEST(Certificate, C16_OpensslAgrees) {
  const auto leaf = sign(build_tbs(leaf_spec()).value());
  const auto read = [](const Certificate& certificate) {
    const unsigned char* cursor = certificate.der().data();
    return crypto::X509Ptr(d2i_X509(nullptr, &cursor, static_cast<long>(certificate.der().size())));
  };
  const auto openssl = read(leaf);
  const auto issuer = read(ca());
  ASSERT_TRUE(openssl && issuer);
  EXPECT_EQ(X509_verify(openssl.get(), X509_get0_pubkey(issuer.get())), 1);
  EXPECT_EQ(X509_check_issued(issuer.get(), openssl.get()), X509_V_OK);
  EXPECT_EQ(X509_check_host(openssl.get(), "a.example.com", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(openssl.get(), "192.0.2.1", 0), 1);
  EXPECT_EQ(X509_check_host(openssl.get(), "b.example.com", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_get_key_usage(openssl.get()), static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(openssl.get()), static_cast<std::uint32_t>(XKU_SSL_SERVER));
  EXPECT_EQ(X509_check_ca(issuer.get()), 1);
  EXPECT_EQ(X509_get_pathlen(issuer.get()), 0);
}

TEST(Certificate, ReadsWhatOpensslMade) {
  const auto root = Certificate::from_pem(kRoot).value();
  EXPECT_TRUE(root.is_ca());
  EXPECT_EQ(root.subject().to_slash(), "/C=FR/O=Example/CN=Root");
  EXPECT_TRUE(root.verify_signed_by(root).ok());
  EXPECT_EQ(root.key_id(), Bytes(root.subject_key_id().begin(), root.subject_key_id().end()));
  EXPECT_EQ(root.not_after().time_since_epoch() / std::chrono::years{1}, 2126 - 1970);
  const auto leaf = Certificate::from_pem(kLeaf).value();
  EXPECT_TRUE(leaf.verify_signed_by(root).ok());
  EXPECT_EQ(leaf.serial().hex(), "f1f2f3f4f5f6f7f8");
  EXPECT_EQ(leaf.sans(), std::vector{san("a.example.com")});
  EXPECT_EQ(Certificate::from_pem_chain("explanatory text\n" + std::string(kLeaf) + std::string(kRoot))->size(), 2U);
}

TEST(Certificate, CaWithoutKeyIdentifierGetsOne) {
  const auto root = Certificate::from_pem(kBareRoot).value();
  EXPECT_TRUE(root.subject_key_id().empty());
  EXPECT_EQ(root.key_id(), subject_key_id_of(root.public_key().spki()).value());
  EXPECT_TRUE(root.verify_signed_by(root).ok());
}

TEST(Certificate, C11_TimeFormChangesAt2050) {
  auto spec = leaf_spec();
  for (const char* time : {"2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "2028-02-29T12:00:00Z", "9999-12-31T23:59:59Z"}) {
    spec.not_after = at(time);
    EXPECT_EQ(sign(build_tbs(spec).value()).not_after(), at(time)) << time;
  }
  EXPECT_EQ(der::time(at("2049-12-31T23:59:59Z"))[0], der::kUtcTime);
  EXPECT_EQ(der::time(at("2050-01-01T00:00:00Z"))[0], der::kGeneralizedTime);
  for (const auto day : {1, -1}) {  // what would be written as 2049 again
    EXPECT_THROW(static_cast<void>(der::time(at("2049-12-31T23:59:59Z") + day * std::chrono::days{1 << 30})), Bug);
  }
}

TEST(Certificate, I11_SerialsOfEveryLengthComeBack) {
  auto spec = leaf_spec();
  for (std::size_t octets = 1; octets <= base::kMaxSerialOctets; ++octets) {
    for (const std::uint8_t lead : {0x01, 0x7f, 0x80, 0xff}) {
      Bytes magnitude(octets, 0x5a);
      magnitude.front() = lead;
      const auto serial = Serial::from_octets(magnitude);
      EXPECT_EQ(serial.ok(), octets < base::kMaxSerialOctets || lead < 0x80);  // a 21st octet would be the sign
      if (!serial.ok()) continue;
      spec.serial = *serial;
      EXPECT_EQ(sign(build_tbs(spec).value()).serial(), spec.serial);
    }
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

TEST(Certificate, F31_NoFlippedBitPassesAsSigned) {
  const auto leaf = sign(build_tbs(leaf_spec()).value());
  for (std::size_t i = 0; i < leaf.der().size(); ++i) {
    Bytes der(leaf.der().begin(), leaf.der().end());
    der[i] ^= 0x10;
    const auto read = Certificate::from_der(der);
    EXPECT_FALSE(read.ok() && read->verify_signed_by(ca()).ok()) << "octet " << i;
  }
}

TEST(Der, F31_RefusesWhatIsNotDer) {
  const std::pair<const char*, const char*> kBad[] = {
      {"indefinite length", "308002010000000000"},
      {"long form of a short length", "3081030201 01"},
      {"leading zero in the length", "3082000302 0101"},
      {"five octets of length", "30850000000001"},
      {"length above what is there", "3004020101"},
      {"high tag number", "1f8101030201 01"},
      {"tag alone", "30"},
      {"nothing", ""},
  };
  for (const auto& [name, text] : kBad) {
    std::string hex(text);
    std::erase(hex, ' ');
    const auto bytes = base::from_hex(hex).value();
    EXPECT_FALSE(der::only(der::kSequence, bytes, "sequence").ok()) << name;
  }
  const auto number = [](const char* hex) {
    const auto bytes = base::from_hex(hex).value();
    return der::read_number(der::only(der::kInteger, bytes, "number").value());
  };
  for (const char* hex : {"0200", "0201ff", "02020001", "0209010000000000000000"}) EXPECT_FALSE(number(hex).ok()) << hex;
  EXPECT_EQ(number("02020080").value(), 128U);
  EXPECT_EQ(number("020100").value(), 0U);
  EXPECT_EQ(number("020900ffffffffffffffff").value(), UINT64_MAX);
  const auto oid = [](const Bytes& content) {
    const auto bytes = der::tlv(der::kOid, content);
    return der::read_oid(der::only(der::kOid, bytes, "oid").value());
  };
  EXPECT_EQ(oid({0x2a, 0x86, 0x48}).value(), "1.2.840");
  EXPECT_EQ(oid({0x88, 0x37}).value(), "2.999");
  for (const Bytes& content :
       {Bytes{}, Bytes{0x80, 0x01}, Bytes{0x2a, 0x86}, Bytes(100'000, 0x01), Bytes{0x2a, 0xff, 0xff, 0xff, 0xff, 0x7f}}) {
    EXPECT_FALSE(oid(content).ok()) << content.size();
  }
  EXPECT_TRUE(oid(Bytes(31, 0x01)).ok());
  EXPECT_FALSE(oid(Bytes(32, 0x01)).ok()) << "33 arcs";
  const auto arcs = [](std::size_t count, const std::string& each) {
    std::string text = "2";
    for (std::size_t i = 1; i < count; ++i) text += "." + each;
    return text;
  };
  for (const auto& text : {arcs(32, "1"), arcs(13, "4294967215")}) {
    const auto written = der::oid(text);
    ASSERT_TRUE(written.ok()) << text;
    EXPECT_EQ(der::read_oid(der::only(der::kOid, *written, "oid").value()).value(), text);
  }
  for (const auto& text : {arcs(33, "1"), arcs(2, "4294967295"), arcs(20, "4294967215"), std::string("3.1"), std::string("1.40")})
    EXPECT_FALSE(der::oid(text).ok()) << text;
}

TEST(Tbs, RefusesWhatDoesNotHold) {
  const auto refused = [](const std::function<void(TbsSpec&)>& change) {
    auto spec = leaf_spec();
    change(spec);
    return !build_tbs(spec).ok();
  };
  EXPECT_TRUE(refused([](TbsSpec& s) { s.spki = {1, 2, 3}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.key_usage = {"everything"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.key_usage = {"keyEncipherment"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.extended_key_usage = {"everything"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.crl_urls = {"no url"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.ocsp_urls = {"file:///etc/passwd"}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.not_after = s.not_before - std::chrono::seconds{1}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.sans = {GeneralName{GeneralName::Type::Dns, "A.b"}}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.subject.attributes = {{"C", "France"}}; }));
  EXPECT_TRUE(refused([](TbsSpec& s) { s.is_ca = true, s.path_length = -1; }));
}

TEST(Tbs, C2_SameSpecSameOctets) {
  const auto spec = leaf_spec();
  EXPECT_EQ(build_tbs(spec).value(), build_tbs(spec).value());
}

TEST(Tbs, ExtensionsStandInTheirOrder) {
  auto spec = leaf_spec();
  spec.subject = {};
  std::vector<std::string> order;
  const auto certificate = sign(build_tbs(spec).value());
  for (const auto& extension : certificate.extensions()) {
    order.push_back(extension.oid + (extension.critical ? "!" : ""));
  }
  EXPECT_EQ(order, (std::vector<std::string>{"2.5.29.19!", "2.5.29.15!", "2.5.29.37", "2.5.29.14", "2.5.29.35", "2.5.29.17!",
                                             "2.5.29.31", "1.3.6.1.5.5.7.1.1"}));
}

TEST(Tbs, KeyUsageFollowsTheKey) {
  auto spec = leaf_spec();
  spec.key_usage = {"digitalSignature", "keyEncipherment"};
  EXPECT_EQ(sign(build_tbs(spec).value()).key_usage(), std::vector<std::string>{"digitalSignature"});
  const auto rsa = Certificate::from_pem(kLeaf)->public_key();
  spec.spki.assign(rsa.spki().begin(), rsa.spki().end());
  EXPECT_EQ(sign(build_tbs(spec).value()).key_usage(), spec.key_usage);
}

}  // namespace
}  // namespace chancery::x509
