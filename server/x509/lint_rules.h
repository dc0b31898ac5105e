#pragma once

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

/// What a rule about certificates looks at: the octets as our reader and as OpenSSL's read them.
struct CertificateView {
  const Certificate& certificate;
  X509* openssl;
  crypto::SignatureAlgorithm algorithm;  ///< the one that will sign
  const LintContext& context;

  const Extension* find(std::string_view oid) const { return find_extension(certificate.extensions(), oid); }
  bool is_critical(std::string_view oid) const { return find(oid) != nullptr && find(oid)->critical; }
};
std::span<const Rule<CertificateView>> field_rules();
std::span<const Rule<CertificateView>> extension_rules();

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
