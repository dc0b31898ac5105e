#include "server/x509/ocsp.h"

#include <algorithm>
#include <array>

#include "server/crypto/digest.h"
#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"

namespace chancery::x509 {
namespace {

constexpr std::string_view kNonce = "1.3.6.1.5.5.7.48.1.2";  // RFC 6960 4.4.1
constexpr std::string_view kBasic = "1.3.6.1.5.5.7.48.1.1";  // 4.2.1

/// Digests that issuers are named by. SHA-1 is what nearly everybody uses (RFC 5019 2.1.1): it names, and proves nothing.
struct Digest {
  std::string_view oid;
  Bytes (*of)(ByteView);
};
constexpr std::array kDigests{Digest{"1.3.14.3.2.26", crypto::sha1_name}, Digest{"2.16.840.1.101.3.4.2.1", crypto::sha256},
                              Digest{"2.16.840.1.101.3.4.2.2", crypto::sha384}, Digest{"2.16.840.1.101.3.4.2.3", crypto::sha512}};

Bytes octets_of(ByteView view) { return {view.begin(), view.end()}; }

/// The key's BIT STRING without tag, length and number of unused bits (4.1.1, 4.2.1).
Result<Bytes> key_octets(const Certificate& of) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, of.public_key().spki(), "public key"));
  der::Reader reader(sequence.content);
  PKI_TRY([[maybe_unused]] const auto algorithm, reader.next(der::kSequence, "key algorithm"));
  PKI_TRY(const auto element, reader.next(der::kBitString, "key"));
  PKI_TRY(const auto octets, der::read_bit_string(element));
  return octets_of(octets);
}

/// GeneralizedTime without fractions, whatever the year (4.2.2.1).
Bytes generalized_time(Seconds at) {
  auto text = base::to_rfc3339(at);
  std::erase_if(text, [](char c) { return c == '-' || c == 'T' || c == ':'; });
  return der::tlv(der::kGeneralizedTime, base::as_bytes(text));
}

// ----- reading

/// Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
Result<CertId> read_request(const der::Tlv& request) {
  der::Reader reader(request.content);
  PKI_TRY(const auto id, reader.next(der::kSequence, "certificate id"));
  if (reader.at(der::constructed(0))) {
    PKI_TRY(const auto tagged, reader.next(der::constructed(0), "extensions"));
    PKI_TRY(const auto extensions, read_extensions(tagged.content));
    for (const auto& one : extensions) {
      if (one.critical) return Error(Code::Unsupported, "critical extension " + one.oid + " of a single request");
    }
  }
  PKI_TRY_VOID(reader.finish("single request"));
  return CertId::from_der(id.whole);
}

Status read_request_extensions(ByteView extensions, OcspRequest& out) {
  PKI_TRY(const auto all, read_extensions(extensions));
  for (const auto& one : all) {
    if (one.oid != kNonce) {
      if (one.critical) return Error(Code::Unsupported, "critical extension " + one.oid);
      continue;
    }
    // Some send the octets without the OCTET STRING that RFC 9654 2.1 has around them: as it came, it goes back.
    if (one.value.empty() || one.value.size() > kMaxNonceOctets + 2)
      return Error(Code::Malformed, "nonce of " + std::to_string(one.value.size()) + " octets");
    out.nonce = one.value;
  }
  return {};
}

/// TBSRequest ::= SEQUENCE { version [0] EXPLICIT Version DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
///   requestList SEQUENCE OF Request, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
Result<OcspRequest> read_tbs_request(ByteView content) {
  der::Reader reader(content);
  if (reader.at(der::constructed(0))) return Error(Code::Malformed, "version is not 1, which DER leaves out");
  if (reader.at(der::constructed(1))) {
    PKI_TRY([[maybe_unused]] const auto requestor, reader.next(der::constructed(1), "requestor"));
  }
  PKI_TRY(const auto list, reader.next(der::kSequence, "list of requests"));
  OcspRequest out;
  for (der::Reader rows(list.content); !rows.done();) {
    if (out.asked.size() == kMostOcspAsked)
      return Error(Code::TooLarge, "more than " + std::to_string(kMostOcspAsked) + " certificates in one request");
    PKI_TRY(const auto row, rows.next(der::kSequence, "single request"));
    PKI_TRY(auto id, read_request(row));
    out.asked.push_back(std::move(id));
  }
  if (out.asked.empty()) return Error(Code::Malformed, "a request about no certificate");
  if (reader.at(der::constructed(2))) {
    PKI_TRY(const auto tagged, reader.next(der::constructed(2), "extensions"));
    PKI_TRY_VOID(read_request_extensions(tagged.content, out));
  }
  PKI_TRY_VOID(reader.finish("request"));
  return out;
}

// ----- writing

/// CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo, unknown [2] IMPLICIT UnknownInfo }
Bytes status_of(const OcspSingle& answer) {
  if (answer.status == OcspStatus::Good) return der::tlv(der::context(0), {});
  if (answer.status == OcspStatus::Unknown) return der::tlv(der::context(2), {});
  Bytes reason;
  if (answer.reason != kReasonUnspecified)
    reason = der::tlv(der::constructed(0), Bytes{der::kEnumerated, 1, static_cast<std::uint8_t>(answer.reason)});
  return der::wrap(der::constructed(1), {generalized_time(answer.revoked_at), reason});
}

/// SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, ... }
Bytes single_of(const OcspSingle& answer, const OcspSpec& spec) {
  const auto next = der::tlv(der::constructed(0), generalized_time(spec.next_update));
  return der::wrap(der::kSequence, {answer.id.der, status_of(answer), generalized_time(spec.this_update), next});
}

Status check_spec(const OcspSpec& spec) {
  if (spec.answers.empty()) return Error(Code::InvalidParams, "an answer about no certificate");
  if (spec.next_update <= spec.this_update) return Error(Code::InvalidParams, "next update is not after this update");
  if (spec.nonce && (spec.nonce->empty() || spec.nonce->size() > kMaxNonceOctets + 2))
    return Error(Code::InvalidParams, "nonce of " + std::to_string(spec.nonce->size()) + " octets");
  for (const auto& one : spec.answers) {
    const bool has_reason = !reason_name(one.reason).empty() && one.reason != kReasonRemoveFromCrl;
    if (!has_reason) return Error(Code::InvalidParams, "reason " + std::to_string(one.reason) + " has no place in an answer");
    if (one.status == OcspStatus::Revoked && one.revoked_at > spec.this_update)
      return Error(Code::InvalidParams, "a revocation that is yet to come");
  }
  return {};
}

struct StatusRow {
  OcspStatus status;
  std::string_view text;
};
constexpr std::array kStatuses{StatusRow{OcspStatus::Good, "good"}, StatusRow{OcspStatus::Revoked, "revoked"},
                               StatusRow{OcspStatus::Unknown, "unknown"}};

struct RefusalRow {
  OcspRefusal refusal;
  std::string_view text;
};
constexpr std::array kRefusals{
    RefusalRow{OcspRefusal::MalformedRequest, "malformed_request"}, RefusalRow{OcspRefusal::InternalError, "internal_error"},
    RefusalRow{OcspRefusal::TryLater, "try_later"}, RefusalRow{OcspRefusal::Unauthorized, "unauthorized"}};

}  // namespace

/// CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING, serialNumber INTEGER }
Result<CertId> CertId::from_der(ByteView der) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, der, "certificate id"));
  der::Reader reader(sequence.content);
  PKI_TRY(const auto algorithm, reader.next(der::kSequence, "digest"));
  der::Reader inner(algorithm.content);
  PKI_TRY(const auto oid, inner.next(der::kOid, "digest"));
  CertId id;
  PKI_TRY(id.digest, der::read_oid(oid));
  if (!inner.done()) {
    PKI_TRY([[maybe_unused]] const auto parameters, inner.any());
  }
  PKI_TRY_VOID(inner.finish("digest"));
  PKI_TRY(const auto name, reader.next(der::kOctetString, "digest of the issuer's name"));
  PKI_TRY(const auto key, reader.next(der::kOctetString, "digest of the issuer's key"));
  PKI_TRY(const auto number, reader.next(der::kInteger, "serial number"));
  PKI_TRY_VOID(reader.finish("certificate id"));
  // X.690 8.3.2: what is longer than it needs to be is read by nobody.
  const auto& octets = number.content;
  const bool is_long = octets.size() > 1 && ((octets[0] == 0 && octets[1] < 0x80) || (octets[0] == 0xff && octets[1] >= 0x80));
  if (octets.empty() || is_long) return Error(Code::Malformed, "serial number that is no DER");
  id.der = octets_of(der);
  id.name_hash = octets_of(name.content);
  id.key_hash = octets_of(key.content);
  if (auto serial = der::read_serial(number); serial.ok()) id.serial = std::move(serial).value();
  return id;
}

bool CertId::is_of(const Certificate& issuer) const {
  const auto* const row = std::ranges::find(kDigests, digest, &Digest::oid);
  if (row == kDigests.end() || row->of(issuer.subject_der()) != name_hash) return false;
  const auto key = key_octets(issuer);
  return key.ok() && row->of(*key) == key_hash;
}

Result<OcspRequest> parse_ocsp_request(ByteView der) {
  if (der.size() > kMaxOcspRequestBytes)
    return Error(Code::TooLarge, "OCSP request of " + std::to_string(der.size()) + " octets");
  PKI_TRY(const auto outer, der::only(der::kSequence, der, "OCSP request"));
  der::Reader reader(outer.content);
  PKI_TRY(const auto tbs, reader.next(der::kSequence, "request"));
  if (reader.at(der::constructed(0))) {
    PKI_TRY([[maybe_unused]] const auto signature, reader.next(der::constructed(0), "signature"));
  }
  PKI_TRY_VOID(reader.finish("OCSP request"));
  return read_tbs_request(tbs.content);
}

Result<Bytes> make_ocsp_request(const Certificate& issuer, const Serial& serial) {
  PKI_TRY(const auto key, key_octets(issuer));
  const auto& digest = kDigests.front();
  const auto algorithm = der::wrap(der::kSequence, {der::oid(digest.oid).value(), der::tlv(der::kNull, {})});
  const auto id = der::wrap(der::kSequence, {algorithm, der::tlv(der::kOctetString, digest.of(issuer.subject_der())),
                                             der::tlv(der::kOctetString, digest.of(key)), der::integer(serial)});
  const auto list = der::wrap(der::kSequence, {der::tlv(der::kSequence, id)});
  return der::tlv(der::kSequence, der::tlv(der::kSequence, list));
}

std::string_view to_text(OcspStatus status) { return std::ranges::find(kStatuses, status, &StatusRow::status)->text; }

std::optional<OcspStatus> ocsp_status_from(std::string_view text) {
  const auto* const found = std::ranges::find(kStatuses, text, &StatusRow::text);
  return found == kStatuses.end() ? std::nullopt : std::optional(found->status);
}

std::string_view to_text(OcspRefusal refusal) { return std::ranges::find(kRefusals, refusal, &RefusalRow::refusal)->text; }

/// ResponseData ::= SEQUENCE { version [0] EXPLICIT Version DEFAULT v1, responderID, producedAt, responses SEQUENCE OF
///   SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
Result<Bytes> build_ocsp_tbs(const OcspSpec& spec) {
  PKI_TRY_VOID(check_spec(spec));
  PKI_TRY(const auto key, key_octets(spec.responder));
  // byKey [2] EXPLICIT KeyHash, which is SHA-1 (4.2.1).
  const auto responder = der::tlv(der::constructed(2), der::tlv(der::kOctetString, crypto::sha1_name(key)));
  Bytes answers;
  for (const auto& one : spec.answers) der::append(answers, single_of(one, spec));
  Bytes extensions;
  if (spec.nonce)
    extensions = der::tlv(der::constructed(1), der::wrap(der::kSequence, {encode_extension(kNonce, false, *spec.nonce)}));
  return der::wrap(der::kSequence,
                   {responder, generalized_time(spec.this_update), der::tlv(der::kSequence, answers), extensions});
}

Result<Bytes> assemble_ocsp(ByteView tbs, crypto::SignatureAlgorithm algorithm, ByteView signature,
                            const Certificate& responder) {
  PKI_TRY(const auto data, der::only(der::kSequence, tbs, "response data"));
  const auto certificates = der::tlv(der::constructed(0), der::tlv(der::kSequence, responder.der()));
  return der::wrap(der::kSequence,
                   {data.whole, crypto::algorithm_identifier(algorithm), der::bit_string(signature), certificates});
}

/// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE { responseType, response } }
Bytes ocsp_response(ByteView basic) {
  const Bytes successful{der::kEnumerated, 1, 0};
  const auto inner = der::wrap(der::kSequence, {der::oid(kBasic).value(), der::tlv(der::kOctetString, basic)});
  return der::wrap(der::kSequence, {successful, der::tlv(der::constructed(0), inner)});
}

Bytes ocsp_response(OcspRefusal refusal) {
  return der::tlv(der::kSequence, Bytes{der::kEnumerated, 1, static_cast<std::uint8_t>(refusal)});
}

}  // namespace chancery::x509
