#include "server/x509/signed_request.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/crypto/handles.h"
#include "server/x509/pem.h"

namespace chancery::x509 {
namespace {

using crypto::BioPtr;
using crypto::CmsPtr;

constexpr std::string_view kCmsLabel = "CMS";
constexpr std::string_view kOlderLabel = "PKCS7";  // RFC 7468 9

Error malformed(const std::string& what) {
  ERR_clear_error();
  return {Code::Malformed, "signature: " + what};
}

Result<CmsPtr> read(std::string_view pem) {
  if (pem.size() > kMaxSignatureBytes) return Error(Code::TooLarge, "signature: above 64 KiB");
  const bool is_older = base::trim(pem).starts_with("-----BEGIN " + std::string(kOlderLabel));
  const auto der = from_pem(is_older ? kOlderLabel : kCmsLabel, pem);
  if (!der.ok()) return der.error().within("signature");
  const unsigned char* at = der->data();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der->size())));
  if (cms == nullptr || at != der->data() + der->size()) return malformed("found no CMS ContentInfo (RFC 5652 3)");
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed)
    return malformed("found another content type, expected SignedData (RFC 5652 5.1)");
  return cms;
}

/// One signer, and a digest that nobody finds collisions of.
Status check_signer_info(CMS_ContentInfo* cms) {
  auto* const infos = CMS_get0_SignerInfos(cms);
  if (infos == nullptr || sk_CMS_SignerInfo_num(infos) != 1) return malformed("found none or several signers, expected one");
  X509_ALGOR* digest = nullptr;
  CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(infos, 0), nullptr, nullptr, &digest, nullptr);
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, digest);
  constexpr std::array kTaken{NID_sha256, NID_sha384, NID_sha512};
  if (std::ranges::find(kTaken, OBJ_obj2nid(oid)) != kTaken.end()) return {};
  return Error(Code::Unsupported, "signature: found another digest, expected SHA-256, SHA-384 or SHA-512");
}

/// CMS_verify makes a copy of a memory BIO of its own, and where the SignedData names a digest that there is none of it forgets
/// to free it: OpenSSL 3.0. What has a filter before it, it takes as it is.
BioPtr reader_of(ByteView octets) {
  BioPtr memory(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
  BioPtr filter(BIO_new(BIO_f_null()));
  PKI_CHECK(memory != nullptr && filter != nullptr);
  BIO_push(filter.get(), memory.release());  // it goes with the filter
  return filter;
}

}  // namespace

Result<Certificate> signer_of(ByteView request_der, std::string_view pem) {
  PKI_TRY(const auto cms, read(pem));
  PKI_TRY_VOID(check_signer_info(cms.get()));
  const auto content = reader_of(request_der);
  // The certificate is held against the realm's own store, not against a list of trusted CAs.
  if (CMS_verify(cms.get(), nullptr, nullptr, content.get(), nullptr, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
    ERR_clear_error();
    return Error(Code::BadProof, "signature: it is not the signer's over this request");
  }
  const crypto::BorrowedCertificatesPtr signers(CMS_get0_signers(cms.get()));
  if (signers == nullptr || sk_X509_num(signers.get()) != 1) return malformed("found no signer's certificate in it");
  unsigned char* made = nullptr;
  const int length = i2d_X509(sk_X509_value(signers.get(), 0), &made);
  const crypto::MemoryPtr owner(made);
  if (length <= 0) return malformed("found a certificate that cannot be written");
  return Certificate::from_der({made, static_cast<std::size_t>(length)});
}

}  // namespace chancery::x509
