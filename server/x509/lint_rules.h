#pragma once

#include <openssl/err.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "server/x509/lint.h"

/// What the files of rules share. Private to the lint.
namespace chancery::x509 {

/// What a rule says: nothing when it holds.
using Verdict = std::string;
inline const Verdict kPass;
inline Verdict unless(bool holds, std::string_view what) { return holds ? kPass : std::string(what); }

/// A rule is a row and a short function over one view.
template <class View>
struct Rule {
  RuleRow row;
  Verdict (*check)(const View&);
};

/// What the rules about encoding look at, before our own reader does: it would refuse what they are to name.
template <class Object>
struct EncodingView {
  Object* openssl;
  ByteView tbs;
  crypto::SignatureAlgorithm algorithm;  ///< the one that will sign
};
using CertificateEncoding = EncodingView<X509>;
using CrlEncoding = EncodingView<X509_CRL>;

/// What the other rules about certificates look at: the octets as our reader and as OpenSSL's read them.
struct CertificateView {
  const Certificate& certificate;
  X509* openssl;
  const LintContext& context;

  const Extension* find(std::string_view oid) const { return find_extension(certificate.extensions(), oid); }
  bool is_critical(std::string_view oid) const { return find(oid) != nullptr && find(oid)->critical; }
};

struct CrlView {
  const Crl& crl;
  X509_CRL* openssl;
  const Certificate& issuer;
};

/// One table a file. They are applied in this order.
std::span<const Rule<CertificateEncoding>> certificate_encoding_rules();
std::span<const Rule<CertificateView>> name_rules();
std::span<const Rule<CertificateView>> validity_rules();
std::span<const Rule<CertificateView>> key_rules();
std::span<const Rule<CertificateView>> extension_rules();
std::span<const Rule<CertificateView>> constraint_rules();
std::span<const Rule<CertificateView>> usage_rules();
std::span<const Rule<CertificateView>> alternative_name_rules();
std::span<const Rule<CertificateView>> location_rules();
std::span<const Rule<CrlEncoding>> crl_encoding_rules();
std::span<const Rule<CrlView>> crl_field_rules();
std::span<const Rule<CrlView>> crl_entry_rules();
std::span<const Rule<CrlView>> delta_crl_rules();

/// The rules that hold when a reader takes the octets at all.
inline constexpr RuleRow kOpensslReadsIt{"openssl_reads_it", "RFC 5280 4.1"};
inline constexpr RuleRow kChanceryReadsIt{"chancery_reads_it", "RFC 5280 4.1, PROMISES F31"};
inline constexpr RuleRow kOpensslReadsCrl{"crl_openssl_reads_it", "RFC 5280 5.1"};
inline constexpr RuleRow kChanceryReadsCrl{"crl_chancery_reads_it", "RFC 5280 5.1, PROMISES F31"};

/// What keeps clients from fetching what a CRLDistributionPoints names: one URL a point, of a scheme that they know.
Verdict fault_in_points(ByteView value);

/// Lists compared without order.
inline bool same_words(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

inline bool has_word(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// Without the extension every usage is allowed (RFC 5280 4.2.1.3).
inline bool may(const Certificate& ca, std::string_view usage) {
  return ca.is_ca() && (ca.key_usage().empty() || has_word(ca.key_usage(), usage));
}

/// RFC 5280 4.1.2.5: UTCTime through 2049.
inline bool has_right_form(const ASN1_TIME* time, Seconds at) {
  const bool is_late = base::to_rfc3339(at) >= "2050";
  return ASN1_STRING_type(time) == (is_late ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME);
}

/// PROMISES B5, by OpenSSL's tables: the digest of a signature algorithm is of the SHA-2 family, or built in.
inline bool is_sha2(int signature_nid) {
  int digest = NID_undef;
  if (OBJ_find_sigid_algs(signature_nid, &digest, nullptr) != 1) return false;
  return digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512 ||
         (digest == NID_undef && signature_nid == NID_ED25519);
}

/// Nothing may stand twice (RFC 5280 4.2). @param count, at  of OpenSSL's object.
template <class Object>
bool has_extension_twice(const Object* object, int (*count)(const Object*), X509_EXTENSION* (*at)(const Object*, int),
                         int (*find)(const Object*, const ASN1_OBJECT*, int)) {
  for (int i = 0; i < count(object); ++i) {
    if (find(object, X509_EXTENSION_get_object(at(object, i)), i) != -1) return true;
  }
  return false;
}

/// OpenSSL's object of exactly these octets, or none.
template <class Owner, class Object>
Owner read_by_openssl(Object* (*decode)(Object**, const unsigned char**, long), ByteView der) {
  const unsigned char* cursor = der.data();
  Owner object(decode(nullptr, &cursor, static_cast<long>(der.size())));
  ERR_clear_error();
  return cursor == der.data() + der.size() ? std::move(object) : Owner();
}

/// A certificate of exactly these octets, with its key left as octets; or none.
crypto::X509Ptr read_certificate_by_openssl(ByteView der);

/// The octets that an encoder of OpenSSL makes of what it read. Empty when it fails.
template <class Object>
Bytes encoded_again(int (*encode)(Object*, unsigned char**), Object* object) {
  unsigned char* der = nullptr;
  const int length = encode(object, &der);
  const crypto::MemoryPtr owner(der);
  return length > 0 ? Bytes(der, der + length) : Bytes{};
}

/// The octets with a signature that signs nothing, so that whole objects can be read.
Result<Bytes> with_throwaway_signature(ByteView tbs, crypto::SignatureAlgorithm algorithm);

template <class View>
void apply(std::span<const Rule<View>> rules, const View& view, std::vector<Finding>& findings) {
  for (const auto& rule : rules) {
    auto verdict = rule.check(view);
    if (!verdict.empty()) findings.push_back({rule.row, std::move(verdict)});
  }
}

template <class View>
void append_rows(std::span<const Rule<View>> rules, std::vector<RuleRow>& rows) {
  std::ranges::transform(rules, std::back_inserter(rows), &Rule<View>::row);
}

/// The warnings, when there is nothing worse. @errors LintFailed.
Result<std::vector<Finding>> only_warnings(std::vector<Finding> findings, std::string_view what);

}  // namespace chancery::x509
