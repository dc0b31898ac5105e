#include "server/x509/ra_message.h"

#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "server/crypto/handles.h"
#include "server/x509/der.h"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

using namespace testing;

const crypto::PrivateKey& ra_key() {
  static const auto kKey = crypto::PrivateKey::generate(base::parse_key_spec("rsa:2048").value()).value();
  return kKey;
}

Certificate certificate_of(const crypto::PrivateKey& key, const char* serial) {
  auto spec = leaf_spec();
  spec.serial = Serial::from_hex(serial).value();
  spec.spki = spki_of(key);
  spec.key_usage = {"digitalSignature", "keyEncipherment"};
  return sign(build_tbs(spec).value());
}

const Certificate& ra() {
  static const auto kRa = certificate_of(ra_key(), "4f000102030405060708090a0b0c0d0e0f");
  return kRa;
}

const Bytes kContent{'a', ' ', 0, 0xff, '\n'};

crypto::X509Ptr openssl(const Certificate& certificate) {
  const unsigned char* cursor = certificate.der().data();
  return crypto::X509Ptr(d2i_X509(nullptr, &cursor, static_cast<long>(certificate.der().size())));
}

Bytes der_of(CMS_ContentInfo* cms) {
  unsigned char* der = nullptr;
  const int length = i2d_CMS_ContentInfo(cms, &der);
  const crypto::MemoryPtr owner(der);
  return length > 0 ? Bytes(der, der + length) : Bytes();
}

/// As a client of SCEP encrypts.
Bytes enveloped_for(const Certificate& whom) {
  const auto certificate = openssl(whom);
  const crypto::BorrowedCertificatesPtr list(sk_X509_new_null());
  sk_X509_push(list.get(), certificate.get());
  const crypto::BioPtr in(BIO_new_mem_buf(kContent.data(), static_cast<int>(kContent.size())));
  const crypto::CmsPtr cms(CMS_encrypt(list.get(), in.get(), EVP_aes_128_cbc(), CMS_BINARY));
  return der_of(cms.get());
}

TEST(RaMessage, OpensWhatOpensslEncrypts) { EXPECT_EQ(open_enveloped(enveloped_for(ra()), ra_key(), ra()).value(), kContent); }

TEST(RaMessage, OpensNothingElse) {
  const auto good = enveloped_for(ra());
  const auto other = crypto::PrivateKey::generate(base::parse_key_spec("rsa:2048").value()).value();
  auto cut = good;
  cut.pop_back();
  auto behind = good;
  behind.push_back(0);
  auto changed = good;
  changed.back() ^= 1;
  const auto signed_data = sign_content(kContent, {}, ra_key(), ra()).value();
  struct Case {
    const char* name;
    Bytes der;
    Code want;
  };
  const Case cases[] = {
      {"nothing", {}, Code::Malformed},
      {"cut", cut, Code::Malformed},
      {"something behind", behind, Code::Malformed},
      {"SignedData", signed_data, Code::Malformed},
      {"too long", Bytes(kMaxRaMessageBytes + 1, 0x30), Code::TooLarge},
      {"for another certificate", enveloped_for(certificate_of(other, "4f00")), Code::BadProof},
      {"changed", changed, Code::BadProof},
  };
  for (const auto& c : cases) {
    const auto opened = open_enveloped(c.der, ra_key(), ra());
    ASSERT_FALSE(opened.ok()) << c.name;
    EXPECT_EQ(opened.error().code(), c.want) << c.name;
    EXPECT_EQ(ERR_peek_error(), 0UL) << c.name;
  }
  // One answer, whatever is the matter: nobody learns from it (RFC 3218).
  EXPECT_EQ(open_enveloped(changed, ra_key(), ra()).error().message(),
            open_enveloped(enveloped_for(certificate_of(other, "4f00")), ra_key(), ra()).error().message());
}

Bytes printable(std::string_view text) { return der::tlv(der::kPrintableString, base::as_bytes(text)); }

TEST(RaMessage, SignsWithAttributesThatOpensslReads) {
  const std::vector<SignedAttribute> attributes{
      {"2.16.840.1.113733.1.9.2", printable("3")},                                // messageType CertRep
      {"2.16.840.1.113733.1.9.7", printable("abc")},                              // transactionID
      {"2.16.840.1.113733.1.9.6", der::tlv(der::kOctetString, Bytes(16, 0x2a))},  // recipientNonce
  };
  const auto der = sign_content(kContent, attributes, ra_key(), ra());
  ASSERT_TRUE(der.ok()) << der.error().message();
  const unsigned char* cursor = der->data();
  const crypto::CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(der->size())));
  ASSERT_TRUE(cms);
  auto* const signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms.get()), 0);
  for (const auto& one : attributes) {
    const crypto::Asn1ObjectPtr oid(OBJ_txt2obj(one.oid.c_str(), 1));
    const auto value = der::Reader(one.value).any().value();
    const auto* const found = static_cast<const ASN1_STRING*>(CMS_signed_get0_data_by_OBJ(signer, oid.get(), -3, value.tag));
    ASSERT_NE(found, nullptr) << one.oid;
    EXPECT_TRUE(std::ranges::equal(ByteView(ASN1_STRING_get0_data(found), static_cast<std::size_t>(ASN1_STRING_length(found))),
                                   value.content));
  }
}

TEST(RaMessage, SignsNoAttributeThatIsNotOnesOwn) {
  const auto value = printable("x");
  auto cut = value;
  cut.pop_back();
  const std::vector<std::pair<const char*, std::vector<SignedAttribute>>> cases{
      {"content type", {{"1.2.840.113549.1.9.3", value}}},
      {"message digest", {{"1.2.840.113549.1.9.4", value}}},
      {"signing time", {{"1.2.840.113549.1.9.5", value}}},
      {"twice", {{"1.2.3.4", value}, {"1.2.3.4", value}}},
      {"no OID", {{"messageType", value}}},
      {"no value", {{"1.2.3.4", {}}}},
      {"half a value", {{"1.2.3.4", cut}}},
      {"a sequence", {{"1.2.3.4", der::wrap(der::kSequence, {})}}},
  };
  for (const auto& [name, attributes] : cases) {
    const auto made = sign_content(kContent, attributes, ra_key(), ra());
    ASSERT_FALSE(made.ok()) << name;
    EXPECT_EQ(made.error().code(), Code::Malformed) << name;
  }
  EXPECT_EQ(sign_content(Bytes(kMaxRaMessageBytes + 1), {}, ra_key(), ra()).error().code(), Code::TooLarge);
  EXPECT_EQ(sign_content(kContent, {}, leaf_key(), ra()).error().code(), Code::BadKey);  // of another certificate
}

}  // namespace
}  // namespace chancery::x509
