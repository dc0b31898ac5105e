#include "server/x509/tbs.h"

#include <algorithm>

#include "server/crypto/digest.h"
#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"

namespace chancery::x509 {
namespace {

constexpr std::string_view kOcsp = "1.3.6.1.5.5.7.48.1";
constexpr std::string_view kCaIssuers = "1.3.6.1.5.5.7.48.2";
constexpr std::size_t kKeyIdOctets = 20;
constexpr std::uint64_t kVersion3 = 2;

Status add_access(Bytes& out, std::string_view method, const std::vector<std::string>& urls) {
  for (const auto& url : urls) {
    PKI_TRY(const auto name, encode_uri(url));
    der::append(out, der::wrap(der::kSequence, {der::oid(method).value(), name}));
  }
  return {};
}

/// AuthorityInfoAccessSyntax (RFC 5280 4.2.2.1).
Result<Bytes> information_access(const TbsSpec& spec) {
  Bytes descriptions;
  PKI_TRY_VOID(add_access(descriptions, kOcsp, spec.ocsp_urls));
  PKI_TRY_VOID(add_access(descriptions, kCaIssuers, spec.ca_issuer_urls));
  return der::tlv(der::kSequence, descriptions);
}

/// BasicConstraints: cA is left out when FALSE, its default.
Bytes basic_constraints(const TbsSpec& spec) {
  if (!spec.is_ca) return der::wrap(der::kSequence, {});
  const auto length = spec.path_length ? der::integer(static_cast<std::uint64_t>(*spec.path_length)) : Bytes{};
  return der::wrap(der::kSequence, {der::boolean_true(), length});
}

/// In the order that every certificate of ours has.
Result<Bytes> extensions(const TbsSpec& spec, const crypto::PublicKey& key) {
  Bytes out;
  const auto add = [&out](std::string_view oid, bool critical, ByteView value) {
    der::append(out, encode_extension(oid, critical, value));
  };
  add(kBasicConstraints, true, basic_constraints(spec));
  if (!spec.key_usage.empty()) {
    const auto names = key_usage_for(key.spec().kind, spec.key_usage);
    // Without the extension every usage would be allowed.
    if (names.empty())
      return Error(Code::Malformed, "no key usage that a key of kind " + base::to_text(key.spec()) + " can have");
    PKI_TRY(const auto usage, encode_key_usage(names));
    add(kKeyUsage, true, usage);
  }
  if (!spec.extended_key_usage.empty()) {
    PKI_TRY(const auto purposes, encode_extended_key_usage(spec.extended_key_usage));
    add(kExtendedKeyUsage, false, purposes);
  }
  PKI_TRY(auto key_id, subject_key_id_of(spec.spki));
  if (!spec.subject_key_id.empty()) key_id = spec.subject_key_id;
  add(kSubjectKeyId, false, der::tlv(der::kOctetString, key_id));
  add(kAuthorityKeyId, false, encode_authority_key_id(spec.authority_key_id.empty() ? key_id : spec.authority_key_id));
  if (!spec.sans.empty()) {
    PKI_TRY(const auto names, encode_general_names(spec.sans));
    add(kSubjectAltName, spec.subject.empty(), names);  // RFC 5280 4.2.1.6
  }
  if (!spec.crl_urls.empty()) {
    PKI_TRY(const auto points, encode_distribution_points(spec.crl_urls));
    add(kCrlDistributionPoints, false, points);
  }
  if (!spec.crl_delta_urls.empty()) {
    PKI_TRY(const auto points, encode_distribution_points(spec.crl_delta_urls));
    add(kFreshestCrl, false, points);  // RFC 5280 4.2.1.15: never critical
  }
  if (!spec.ca_issuer_urls.empty() || !spec.ocsp_urls.empty()) {
    PKI_TRY(const auto access, information_access(spec));
    add(kAuthorityInfoAccess, false, access);
  }
  if (spec.ocsp_no_check) add(kOcspNoCheck, false, der::tlv(der::kNull, {}));
  return der::tlv(der::constructed(3), der::tlv(der::kSequence, out));
}

}  // namespace

Result<Bytes> subject_key_id_of(ByteView spki) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, spki, "public key"));
  der::Reader reader(sequence.content);
  PKI_TRY_VOID([&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto algorithm, reader.next(der::kSequence, "key algorithm"));
    return {};
  }());
  PKI_TRY(const auto element, reader.next(der::kBitString, "key"));
  PKI_TRY(const auto octets, der::read_bit_string(element));
  auto digest = crypto::sha256(octets);
  digest.resize(kKeyIdOctets);
  return digest;
}

Result<Bytes> build_tbs(const TbsSpec& spec) {
  if (spec.not_after < spec.not_before) return Error(Code::Malformed, "not_after is before not_before");
  if (spec.path_length && *spec.path_length < 0) return Error(Code::Malformed, "path length is negative");
  PKI_TRY(const auto key, crypto::PublicKey::from_spki(spec.spki));
  PKI_TRY(const auto named, spec.subject.der());
  const auto& subject = spec.subject_der.empty() ? named : spec.subject_der;
  PKI_TRY(const auto tail, extensions(spec, key));
  const auto version = der::wrap(der::constructed(0), {der::integer(kVersion3)});
  const auto validity = der::wrap(der::kSequence, {der::time(spec.not_before), der::time(spec.not_after)});
  return der::wrap(der::kSequence, {version, der::integer(spec.serial), crypto::algorithm_identifier(spec.algorithm),
                                    spec.issuer_der.empty() ? subject : spec.issuer_der, validity, subject, key.spki(), tail});
}

Result<crypto::SignatureAlgorithm> algorithm_of(ByteView tbs) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, tbs, "TBSCertificate"));
  der::Reader reader(sequence.content);
  PKI_TRY([[maybe_unused]] const auto version, reader.next(der::constructed(0), "version"));
  PKI_TRY([[maybe_unused]] const auto serial, reader.next(der::kInteger, "serial"));
  PKI_TRY(const auto algorithm, reader.next(der::kSequence, "signature algorithm"));
  return crypto::algorithm_from_identifier(algorithm.whole);
}

Result<TbsEnd> end_of(ByteView tbs) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, tbs, "TBSCertificate"));
  der::Reader reader(sequence.content);
  PKI_TRY([[maybe_unused]] const auto version, reader.next(der::constructed(0), "version"));
  PKI_TRY([[maybe_unused]] const auto serial, reader.next(der::kInteger, "serial"));
  PKI_TRY([[maybe_unused]] const auto algorithm, reader.next(der::kSequence, "signature algorithm"));
  PKI_TRY(const auto issuer, reader.next(der::kSequence, "issuer"));
  PKI_TRY(const auto validity, reader.next(der::kSequence, "validity"));
  PKI_TRY(const auto subject, reader.next(der::kSequence, "subject"));
  der::Reader times(validity.content);
  PKI_TRY([[maybe_unused]] const auto not_before, der::read_time(times));
  PKI_TRY(const auto not_after, der::read_time(times));
  return TbsEnd{not_after, std::ranges::equal(issuer.whole, subject.whole)};
}

Result<Bytes> assemble_signed(ByteView tbs, crypto::SignatureAlgorithm algorithm, ByteView signature) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, tbs, "part that is signed"));
  return der::wrap(der::kSequence, {sequence.whole, crypto::algorithm_identifier(algorithm), der::bit_string(signature)});
}

}  // namespace chancery::x509
