#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

/// Owners of OpenSSL's objects. The only place that names their free functions.
namespace chancery::crypto {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};

/// OPENSSL_free is a macro.
struct MemoryFreer {
  void operator()(void* p) const noexcept { OPENSSL_free(p); }
};
/// Stacks own their elements in two ways; these free the elements too.
struct ExtensionStackFreer {
  void operator()(STACK_OF(X509_EXTENSION) * p) const noexcept { sk_X509_EXTENSION_pop_free(p, X509_EXTENSION_free); }
};

/// Of stacks that own nothing.
struct BorrowedCertificatesFreer {
  void operator()(STACK_OF(X509) * p) const noexcept { sk_X509_free(p); }
};

using AlgorithmPtr = std::unique_ptr<X509_ALGOR, Freer<&X509_ALGOR_free>>;
using Asn1IntegerPtr = std::unique_ptr<ASN1_INTEGER, Freer<&ASN1_INTEGER_free>>;
using Asn1EnumeratedPtr = std::unique_ptr<ASN1_ENUMERATED, Freer<&ASN1_ENUMERATED_free>>;
using Asn1ObjectPtr = std::unique_ptr<ASN1_OBJECT, Freer<&ASN1_OBJECT_free>>;
using Asn1OctetStringPtr = std::unique_ptr<ASN1_OCTET_STRING, Freer<&ASN1_OCTET_STRING_free>>;
using Asn1BitStringPtr = std::unique_ptr<ASN1_BIT_STRING, Freer<&ASN1_BIT_STRING_free>>;
using AuthorityKeyIdPtr = std::unique_ptr<AUTHORITY_KEYID, Freer<&AUTHORITY_KEYID_free>>;
using BasicConstraintsPtr = std::unique_ptr<BASIC_CONSTRAINTS, Freer<&BASIC_CONSTRAINTS_free>>;
using BignumContextPtr = std::unique_ptr<BN_CTX, Freer<&BN_CTX_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Freer<&BN_clear_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<&BIO_free_all>>;
using BorrowedCertificatesPtr = std::unique_ptr<STACK_OF(X509), BorrowedCertificatesFreer>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, Freer<&CMS_ContentInfo_free>>;
using CtxPtr = std::unique_ptr<EVP_MD_CTX, Freer<&EVP_MD_CTX_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, Freer<&ECDSA_SIG_free>>;
using ExtendedKeyUsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, Freer<&EXTENDED_KEY_USAGE_free>>;
using ExtensionStackPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionStackFreer>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<&GENERAL_NAMES_free>>;
using MemoryPtr = std::unique_ptr<unsigned char, MemoryFreer>;
using NameConstraintsPtr = std::unique_ptr<NAME_CONSTRAINTS, Freer<&NAME_CONSTRAINTS_free>>;
using OcspBasicPtr = std::unique_ptr<OCSP_BASICRESP, Freer<&OCSP_BASICRESP_free>>;
using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Freer<&OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Freer<&OSSL_PARAM_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freer<&PKCS8_PRIV_KEY_INFO_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Freer<&EVP_PKEY_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Freer<&EVP_PKEY_free>>;
using SignedPkcs8Ptr = std::unique_ptr<X509_SIG, Freer<&X509_SIG_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, Freer<&X509_CRL_free>>;
using X509NamePtr = std::unique_ptr<X509_NAME, Freer<&X509_NAME_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<&X509_free>>;
using X509PubkeyPtr = std::unique_ptr<X509_PUBKEY, Freer<&X509_PUBKEY_free>>;
using X509ReqPtr = std::unique_ptr<X509_REQ, Freer<&X509_REQ_free>>;

}  // namespace chancery::crypto
