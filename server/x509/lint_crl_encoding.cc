#include <array>

#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CrlEncoding;

/// The AlgorithmIdentifier inside, which OpenSSL does not show: TBSCertList ::= SEQUENCE { version, signature, … }.
Result<Bytes> inner_identifier(ByteView tbs) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, tbs, "TBSCertList"));
  der::Reader reader(sequence.content);
  if (reader.at(der::kInteger)) {
    PKI_TRY([[maybe_unused]] const auto version, reader.any());
  }
  PKI_TRY(const auto identifier, reader.next(der::kSequence, "signature algorithm"));
  return Bytes(identifier.whole.begin(), identifier.whole.end());
}

Verdict der_canonical(const View& v) {
  return unless(std::ranges::equal(encoded_again(i2d_re_X509_CRL_tbs, v.openssl), v.tbs),
                "encoded again it is not the same octets");
}

Verdict version_two(const View& v) { return unless(X509_CRL_get_version(v.openssl) == X509_CRL_VERSION_2, "version is not 2"); }

Verdict signature_sha2(const View& v) {
  const auto identifier = inner_identifier(v.tbs);
  if (!identifier.ok()) return identifier.error().message();
  const auto algorithm = read_by_openssl<crypto::AlgorithmPtr>(d2i_X509_ALGOR, *identifier);
  return unless(algorithm && is_sha2(OBJ_obj2nid(algorithm->algorithm)), "signature digest is not of the SHA-2 family");
}

Verdict algorithm_agrees(const View& v) {
  const auto identifier = inner_identifier(v.tbs);
  return unless(identifier.ok() && *identifier == crypto::algorithm_identifier(v.algorithm),
                "signature algorithm is not the one that will sign");
}

Verdict extension_once(const View& v) {
  return unless(!has_extension_twice<X509_CRL>(v.openssl, X509_CRL_get_ext_count, X509_CRL_get_ext, X509_CRL_get_ext_by_OBJ),
                "an extension stands twice");
}

/// No indirect CRL, nothing critical but what makes a delta CRL one: the two extensions that every CRL has, and those about
/// deltas, whose own rules say more.
Verdict extensions_known(const View& v) {
  const auto stands_plain = [&](int nid) {
    const int at = X509_CRL_get_ext_by_NID(v.openssl, nid, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_CRL_get_ext(v.openssl, at)) == 0;
  };
  const auto stands = [&](int nid) { return X509_CRL_get_ext_by_NID(v.openssl, nid, -1) >= 0 ? 1 : 0; };
  const int expected = 2 + stands(NID_delta_crl) + stands(NID_freshest_crl);
  const bool holds =
      X509_CRL_get_ext_count(v.openssl) == expected && stands_plain(NID_authority_key_identifier) && stands_plain(NID_crl_number);
  return unless(holds,
                "extensions are not an authority key identifier and a CRL number, neither critical, and those of delta CRLs");
}

/// The entries by OpenSSL's eyes; none when the list is absent.
template <class Holds>
bool all_entries(const View& v, Holds holds) {
  auto* entries = X509_CRL_get_REVOKED(v.openssl);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    if (!holds(sk_X509_REVOKED_value(entries, i))) return false;
  }
  return true;
}

/// RFC 5280 5.1.2.6: without entries the list is absent, not empty.
Verdict entries_absent_when_none(const View& v) {
  const auto* entries = X509_CRL_get_REVOKED(v.openssl);
  return unless(entries == nullptr || sk_X509_REVOKED_num(entries) > 0, "the list of entries is there but empty");
}

Verdict entry_serials_positive(const View& v) {
  const auto holds = [](const X509_REVOKED* entry) {
    const auto* serial = X509_REVOKED_get0_serialNumber(entry);
    const crypto::BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
    return ASN1_STRING_type(serial) == V_ASN1_INTEGER && number && !BN_is_zero(number.get());
  };
  return unless(all_entries(v, holds), "an entry's serial is negative or zero");
}

Verdict entry_extensions_known(const View& v) {
  const auto holds = [](const X509_REVOKED* entry) {
    const int count = X509_REVOKED_get_ext_count(entry);
    if (count <= 0) return true;
    const int at = X509_REVOKED_get_ext_by_NID(entry, NID_crl_reason, -1);
    return count == 1 && at == 0 && X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, at)) == 0;
  };
  return unless(all_entries(v, holds), "an entry has more than a reason, or a critical one");
}

Verdict reason_left_out_when_unspecified(const View& v) {
  const auto holds = [](const X509_REVOKED* entry) {
    int critical = 0;
    const crypto::Asn1EnumeratedPtr reason(
        static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, nullptr)));
    return !reason || ASN1_ENUMERATED_get(reason.get()) != CRL_REASON_UNSPECIFIED;
  };
  const bool all_hold = all_entries(v, holds);
  ERR_clear_error();
  return unless(all_hold, "an entry says that its reason is unspecified");
}

constexpr std::array kRules{
    Rule<View>{{"crl_der_canonical", "RFC 5280 5.1, PROMISES C16"}, der_canonical},
    Rule<View>{{"crl_version_two", "RFC 5280 5.1.2.1, PROMISES B9"}, version_two},
    Rule<View>{{"crl_signature_sha2", "CABF BR 7.1.3.2, PROMISES B5"}, signature_sha2},
    Rule<View>{{"crl_algorithm_agrees", "RFC 5280 5.1.1.2"}, algorithm_agrees},
    Rule<View>{{"crl_extension_once", "RFC 5280 4.2, 5.2"}, extension_once},
    Rule<View>{{"crl_extensions_known", "RFC 5280 5.2, PROMISES B9"}, extensions_known},
    Rule<View>{{"crl_entries_absent_when_none", "RFC 5280 5.1.2.6"}, entries_absent_when_none},
    Rule<View>{{"crl_entry_serials_positive", "RFC 5280 4.1.2.2, 5.1.2.6"}, entry_serials_positive},
    Rule<View>{{"crl_entry_extensions_known", "RFC 5280 5.3, PROMISES B9"}, entry_extensions_known},
    Rule<View>{{"crl_reason_left_out_when_unspecified", "RFC 5280 5.3.1, PROMISES B11"}, reason_left_out_when_unspecified},
};

}  // namespace

std::span<const Rule<CrlEncoding>> crl_encoding_rules() { return kRules; }

}  // namespace chancery::x509
