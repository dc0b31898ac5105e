#include "server/x509/ra_message.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <set>

#include "server/base/text.h"
#include "server/crypto/handles.h"
#include "server/x509/der.h"

namespace chancery::x509 {
namespace {

using crypto::BioPtr;
using crypto::CmsPtr;

Status check_size(ByteView octets) {
  if (octets.size() <= kMaxRaMessageBytes) return {};
  return Error(Code::TooLarge,
               "message of " + std::to_string(octets.size()) + " octets, at most " + std::to_string(kMaxRaMessageBytes));
}

Result<crypto::X509Ptr> openssl_of(const Certificate& certificate) {
  const unsigned char* cursor = certificate.der().data();
  crypto::X509Ptr read(d2i_X509(nullptr, &cursor, static_cast<long>(certificate.der().size())));
  ERR_clear_error();
  if (read == nullptr) return Error(Code::Malformed, "certificate that OpenSSL does not read");
  return read;
}

Bytes octets_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return size <= 0 ? Bytes() : Bytes(data, data + size);
}

Error cannot_open() {
  ERR_clear_error();
  return {Code::BadProof, "it cannot be opened with the RA's key", "encrypt for the certificate that ca.list shows"};
}

/// contentType, messageDigest and signingTime are CMS's own (RFC 5652 11).
constexpr std::array kOwnAttributes{"1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"};

/// Of SCEP's attributes (RFC 8894 3.2.1).
constexpr std::array kValues{der::kOctetString, der::kUtf8String, der::kPrintableString, der::kIa5String};

Status check_attributes(const std::vector<SignedAttribute>& attributes) {
  std::set<std::string> seen;
  for (const auto& one : attributes) {
    PKI_TRY([[maybe_unused]] const auto oid, der::oid(one.oid));
    if (std::ranges::find(kOwnAttributes, one.oid) != kOwnAttributes.end())
      return Error(Code::Malformed, "found attribute " + one.oid + ", which CMS itself sets (RFC 5652 11)");
    if (!seen.insert(one.oid).second) return Error(Code::Malformed, "found attribute " + one.oid + " twice");
    der::Reader reader(one.value);
    PKI_TRY(const auto value, reader.any());
    PKI_TRY_VOID(reader.finish("value of attribute " + one.oid));
    if (std::ranges::find(kValues, value.tag) == kValues.end())
      return Error(Code::Malformed, "found another type of value of attribute " + one.oid + ", expected a string");
  }
  return {};
}

Status add_attribute(CMS_SignerInfo* signer, const SignedAttribute& attribute) {
  const auto value = der::Reader(attribute.value).any();
  const crypto::Asn1ObjectPtr oid(OBJ_txt2obj(attribute.oid.c_str(), 1));
  PKI_CHECK(oid != nullptr && value.ok());
  if (CMS_signed_add1_attr_by_OBJ(signer, oid.get(), value->tag, value->content.data(),
                                  static_cast<int>(value->content.size())) == 1)
    return {};
  ERR_clear_error();
  return Error(Code::Malformed, "found a value of attribute " + attribute.oid + " that CMS does not take");
}

Result<Bytes> der_of(const CmsPtr& cms) {
  unsigned char* der = nullptr;
  const int length = i2d_CMS_ContentInfo(cms.get(), &der);
  const crypto::MemoryPtr owner(der);
  if (length <= 0) return Error(Code::Internal, "CMS that cannot be written");
  return Bytes(der, der + length);
}

/// PROMISES F23
Status check_signed(const Bytes& der, ByteView content, const Certificate& own) {
  const unsigned char* cursor = der.data();
  const CmsPtr read(d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(der.size())));
  const BioPtr out(BIO_new(BIO_s_mem()));
  const bool holds = read != nullptr && out != nullptr &&
                     CMS_verify(read.get(), nullptr, nullptr, nullptr, out.get(), CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1 &&
                     std::ranges::equal(octets_of(out.get()), content);
  ERR_clear_error();
  if (holds) return {};
  return Error(Code::Unavailable, "what the key of " + own.subject().to_slash() + " signed does not verify");
}

}  // namespace

Result<Bytes> open_enveloped(ByteView der, const crypto::PrivateKey& key, const Certificate& own) {
  PKI_TRY_VOID(check_size(der));
  const unsigned char* cursor = der.data();
  const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(der.size())));
  const bool is_enveloped =
      cms != nullptr && cursor == der.data() + der.size() && OBJ_obj2nid(CMS_get0_type(cms.get())) == NID_pkcs7_enveloped;
  ERR_clear_error();
  if (!is_enveloped) return Error(Code::Malformed, "found no EnvelopedData (RFC 5652 6), in DER");
  PKI_TRY(const auto certificate, openssl_of(own));
  const BioPtr out(BIO_new(BIO_s_mem()));
  PKI_CHECK(out != nullptr);
  // With the certificate OpenSSL goes on with a random key where the real one cannot be had (RFC 3218 2.3).
  if (CMS_decrypt(cms.get(), key.get(), certificate.get(), nullptr, out.get(), CMS_BINARY) != 1) return cannot_open();
  return octets_of(out.get());
}

Result<Bytes> sign_content(ByteView content, const std::vector<SignedAttribute>& attributes, const crypto::PrivateKey& key,
                           const Certificate& own) {
  PKI_TRY_VOID(check_size(content));
  PKI_TRY_VOID(check_attributes(attributes));
  PKI_TRY(const auto certificate, openssl_of(own));
  const BioPtr in(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  constexpr unsigned kFlags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, kFlags));
  PKI_CHECK(in != nullptr && cms != nullptr);
  auto* const signer = CMS_add1_signer(cms.get(), certificate.get(), key.get(), EVP_sha256(), kFlags);
  if (signer == nullptr) {
    ERR_clear_error();
    return Error(Code::BadKey, "the RA's key and certificate do not sign together");
  }
  for (const auto& one : attributes) PKI_TRY_VOID(add_attribute(signer, one));
  if (CMS_final(cms.get(), in.get(), nullptr, kFlags) != 1) {
    ERR_clear_error();
    return Error(Code::Unavailable, "the RA's key does not sign");
  }
  PKI_TRY(auto der, der_of(cms));
  PKI_TRY_VOID(check_signed(der, content, own));
  return der;
}

}  // namespace chancery::x509
