#include "server/x509/csr.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"
#include "server/x509/pem.h"
#include "server/x509/samples.inc"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

using namespace testing;

Bytes der_of(std::string_view pem) { return from_pem(kRequestLabel, pem).value(); }

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

TEST(Csr, C12_NoFlippedBitPassesAsPossession) {
  const auto der = der_of(kEcRequest);
  for (std::size_t i = 0; i < der.size(); ++i) {
    auto changed = der;
    changed[i] ^= 0x01;
    const auto csr = Csr::from_der(changed);
    EXPECT_FALSE(csr.ok() && csr->verify_possession().ok()) << "octet " << i;
  }
}

TEST(Csr, ReadsWhatOthersMade) {
  const std::pair<std::string_view, const char*> kGood[] = {
      {kRsaRequest, "rsa:2048"}, {kEcRequest, "ec:P-256"}, {kP384Request, "ec:P-384"}, {kEd25519Request, "ed25519"}};
  for (const auto& [pem, spec] : kGood) {
    const auto csr = Csr::from_pem(pem);
    ASSERT_TRUE(csr.ok()) << csr.error().message();
    EXPECT_EQ(base::to_text(csr->public_key().spec()), spec);
    EXPECT_TRUE(csr->verify_possession().ok()) << spec;
    EXPECT_EQ(csr->subject().to_slash(), "/C=FR/O=Société/CN=a.example.com");
  }
  const auto gnutls = Csr::from_pem(kGnutlsRequest);
  ASSERT_TRUE(gnutls.ok()) << gnutls.error().message();
  EXPECT_TRUE(gnutls->verify_possession().ok());
  EXPECT_EQ(gnutls->sans(), std::vector{san("a.example.com")});
}

TEST(Csr, C15_OnlyNamesAreTakenFromIt) {
  const auto csr = Csr::from_pem(kRichRequest).value();  // CA:TRUE, keyCertSign, a challenge password
  EXPECT_TRUE(csr.verify_possession().ok());
  EXPECT_EQ(csr.sans(), (std::vector{san("DNS:a.example.com"), san("DNS:*.b.example.com"), san("IP:192.0.2.1"),
                                     san("IP:2001:db8::1"), san("EMAIL:x@example.com"), san("URI:https://example.com/")}));
}

struct Bad {
  const char* name;
  std::string_view pem;
  Code code;
};
const Bad kUnread[] = {
    {"SHA-1", kSha1Request, Code::Unsupported},
    {"MD5", kMd5Request, Code::Unsupported},
    {"RSASSA-PSS", kPssRequest, Code::Unsupported},
    {"explicit EC parameters", kExplicitRequest, Code::BadKey},
    {"compressed point", kCompressedRequest, Code::BadKey},
    {"secp256k1", kK1Request, Code::BadKey},
    {"Ed448", kEd448Request, Code::Unsupported},
    {"DSA", kDsaRequest, Code::Unsupported},
    {"other name", kOtherNameRequest, Code::Malformed},
    {"a certificate", kRoot, Code::Malformed},
    {"nothing", "", Code::Malformed},
};
const Bad kWeak[] = {
    {"RSA of 1024 bits", kRsa1024Request, Code::BadKey},
    {"RSA with exponent 3", kE3Request, Code::BadKey},
};

TEST(Csr, NamesTheAlgorithmThatItDoesNotTake) {
  const auto said = [](std::string_view pem) { return Csr::from_pem(pem).error().message(); };
  EXPECT_NE(said(kEd448Request).find("signature algorithm 1.3.101.113 (ED448) is not taken"), std::string::npos)
      << said(kEd448Request);
  EXPECT_NE(said(kMd5Request).find("1.2.840.113549.1.1.4 (md5WithRSAEncryption)"), std::string::npos) << said(kMd5Request);
  EXPECT_NE(said(kPssRequest).find("1.2.840.113549.1.1.10 (rsassaPss)"), std::string::npos) << said(kPssRequest);
}

TEST(Csr, F32_RefusesForeignOnes) {
  for (const auto& bad : kUnread) {
    const auto csr = Csr::from_pem(bad.pem);
    ASSERT_FALSE(csr.ok()) << bad.name;
    EXPECT_EQ(csr.error().code(), bad.code) << bad.name << ": " << csr.error().message();
  }
  for (const auto& bad : kWeak) {
    const auto csr = Csr::from_pem(bad.pem);
    ASSERT_TRUE(csr.ok()) << bad.name;
    EXPECT_EQ(csr->verify_possession().error().code(), bad.code) << bad.name;
  }
}

/// A request with its CertificationRequestInfo changed, signed anew.
Bytes with_info(std::size_t element, const Bytes& replacement) {
  auto info = elements_of(elements_of(der_of(to_pem(kRequestLabel, make_csr(leaf_key(), {}, {}).value())))[0]);
  info.at(element) = replacement;
  const auto tbs = sequence_of(info);
  return assemble_signed(tbs, kAlgorithm, leaf_key().sign(kAlgorithm, tbs).value()).value();
}

TEST(Csr, F32_RefusesWellSignedNonsense) {
  EXPECT_TRUE(Csr::from_der(with_info(0, der::integer(0)))->verify_possession().ok());
  for (const std::uint64_t version : {1, 2, 127, 128, 255}) {
    EXPECT_EQ(Csr::from_der(with_info(0, der::integer(version))).error().code(), Code::Malformed) << version;
  }
  const auto attribute = [](const char* oid, const Bytes& value) {
    return der::wrap(der::kSequence, {der::oid(oid).value(), der::tlv(der::kSet, value)});
  };
  const auto names = base::from_hex("30058203612e62").value();  // DNS:a.b
  const auto extensions = der::tlv(der::kSequence, encode_extension(kSubjectAltName, false, names));
  const auto request = attribute("1.2.840.113549.1.9.14", extensions);
  EXPECT_TRUE(Csr::from_der(with_info(3, der::tlv(der::constructed(0), request))).ok());
  EXPECT_FALSE(Csr::from_der(with_info(3, der::wrap(der::constructed(0), {request, request}))).ok());
  const auto twice = attribute("1.2.840.113549.1.9.14", der::wrap(der::kSet, {extensions, extensions}));
  EXPECT_FALSE(Csr::from_der(with_info(3, der::tlv(der::constructed(0), twice))).ok());
  EXPECT_FALSE(Csr::from_der(with_info(1, Bytes{der::kNull, 0})).ok());
  EXPECT_FALSE(Csr::from_der(with_info(2, Bytes{der::kSequence, 0})).ok());
}

/// A request with those attributes beside, each of them DER.
Result<SecretBytes> password_in(std::initializer_list<ByteView> attributes) {
  const auto csr = Csr::from_der(with_info(3, der::wrap(der::constructed(0), attributes)));
  if (!csr.ok()) return csr.error();
  return csr->challenge_password();
}

Bytes challenge(std::uint8_t tag, std::string_view text) {
  const auto value = der::tlv(tag, base::as_bytes(text));
  return der::wrap(der::kSequence, {der::oid("1.2.840.113549.1.9.7").value(), der::wrap(der::kSet, {value})});
}

TEST(Csr, ChallengePasswordsAreReadOctetForOctet) {
  EXPECT_TRUE(password_in({})->empty());
  for (const auto tag : {der::kUtf8String, der::kPrintableString, der::kIa5String})
    EXPECT_EQ(base::as_text(password_in({challenge(tag, "open sesame")})->view()), "open sesame");
  const std::string_view with_nul("open\0sesame", 11);
  EXPECT_EQ(base::as_text(password_in({challenge(der::kUtf8String, with_nul)})->view()), with_nul);
}

TEST(Csr, F32_RefusesOtherChallengePasswords) {
  const auto one = challenge(der::kUtf8String, "open sesame");
  EXPECT_FALSE(password_in({one, one}).ok()) << "two";
  EXPECT_FALSE(password_in({challenge(der::kUtf8String, "")}).ok()) << "empty";
  EXPECT_FALSE(password_in({challenge(der::kUtf8String, std::string(256, 'x'))}).ok()) << "too long";
  EXPECT_TRUE(password_in({challenge(der::kUtf8String, std::string(255, 'x'))}).ok());
  EXPECT_FALSE(password_in({challenge(der::kOctetString, "open sesame")}).ok()) << "no text";
  const auto value = der::tlv(der::kUtf8String, base::as_bytes("x"));
  const auto two_values =
      der::wrap(der::kSequence, {der::oid("1.2.840.113549.1.9.7").value(), der::wrap(der::kSet, {value, value})});
  EXPECT_FALSE(password_in({two_values}).ok()) << "two values (RFC 2985: SINGLE VALUE TRUE)";
}

TEST(Csr, F32_RefusesSizesAndBlocks) {
  const auto der = make_csr(leaf_key(), {}, {}).value();
  auto trailing = der;
  trailing.push_back(0);
  EXPECT_EQ(Csr::from_der(trailing).error().code(), Code::Malformed);
  EXPECT_EQ(Csr::from_der(Bytes(kMaxRequestBytes + 1)).error().code(), Code::TooLarge);
  EXPECT_EQ(Csr::from_pem(std::string(2 * kMaxRequestBytes + 1, 'A')).error().code(), Code::TooLarge);
  const auto pem = to_pem(kRequestLabel, der);
  EXPECT_FALSE(Csr::from_pem(pem + pem).ok());
  EXPECT_FALSE(Csr::from_pem(pem + "-----BEGIN PRIVATE KEY-----\n").ok());
  EXPECT_FALSE(Csr::from_pem(to_pem(kCertificateLabel, der)).ok());
  EXPECT_FALSE(make_csr(leaf_key(), {}, std::vector<GeneralName>(kMaxSans + 1, san("a.b"))).ok());
  Bytes names;
  for (std::size_t i = 0; i <= kMaxSans; ++i) der::append(names, base::from_hex("8203612e62").value());
  EXPECT_EQ(decode_general_names(der::tlv(der::kSequence, names)).error().code(), Code::TooLarge);
}

TEST(Csr, F31_DepthAndGarbageAreRefused) {
  Bytes deep;
  for (int i = 0; i < 2000; ++i) deep = der::tlv(der::kSequence, deep);
  EXPECT_FALSE(Csr::from_der(deep).ok());
  EXPECT_FALSE(Csr::from_der(Bytes(60'000, 0x30)).ok());
  EXPECT_FALSE(Csr::from_der(Bytes(60'000, 0x80)).ok());
}

}  // namespace
}  // namespace chancery::x509
