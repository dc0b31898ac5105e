#include <array>

#include "server/x509/lint_rules.h"

/// What makes a CRL a delta CRL, and a full one say where its delta CRLs are.
namespace chancery::x509 {
namespace {

using View = CrlView;

/// The extension by OpenSSL's eyes; null: it is not there.
X509_EXTENSION* extension_of(const View& v, int nid) {
  const int at = X509_CRL_get_ext_by_NID(v.openssl, nid, -1);
  return at < 0 ? nullptr : X509_CRL_get_ext(v.openssl, at);
}

Verdict indicator_critical(const View& v) {
  const auto* indicator = extension_of(v, NID_delta_crl);
  return unless(indicator == nullptr || X509_EXTENSION_get_critical(indicator) == 1, "the delta CRL indicator is not critical");
}

Verdict base_below_number(const View& v) {
  const auto base = v.crl.base();
  return unless(!base || (*base > 0 && *base < v.crl.number()), "the base CRL number is zero, or not below the CRL's own");
}

Verdict delta_without_freshest(const View& v) {
  return unless(!v.crl.base() || extension_of(v, NID_freshest_crl) == nullptr, "a delta CRL that says where delta CRLs are");
}

Verdict freshest_fetchable(const View& v) {
  auto* freshest = extension_of(v, NID_freshest_crl);
  if (freshest == nullptr) return kPass;
  const auto* value = X509_EXTENSION_get_data(freshest);
  return fault_in_points(ByteView(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))));
}

constexpr std::array kRules{
    Rule<View>{{"crl_delta_indicator_critical", "RFC 5280 5.2.4"}, indicator_critical},
    Rule<View>{{"crl_delta_base_below_number", "RFC 5280 5.2.4"}, base_below_number},
    Rule<View>{{"crl_delta_without_freshest", "RFC 5280 5.2.6"}, delta_without_freshest},
    Rule<View>{{"crl_freshest_fetchable", "RFC 5280 5.2.6, 4.2.1.15"}, freshest_fetchable},
};

}  // namespace

std::span<const Rule<CrlView>> delta_crl_rules() { return kRules; }

}  // namespace chancery::x509
