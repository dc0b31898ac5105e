#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/x509/certificate.h"
#include "server/x509/reasons.h"

/// What is asked about the state of certificates, and how that is answered (RFC 6960).
namespace chancery::x509 {

inline constexpr std::size_t kMaxOcspRequestBytes = 8192;
inline constexpr std::size_t kMostOcspAsked = 20;    ///< certificates in one request
inline constexpr std::size_t kMaxNonceOctets = 128;  ///< RFC 9654 2.1

/// CertID (4.1.1): which certificate is meant, by digests of its issuer's name and key.
struct CertId {
  Bytes der;           ///< octet for octet as it was asked: an answer repeats it
  std::string digest;  ///< OID of the digest
  Bytes name_hash;
  Bytes key_hash;
  std::optional<Serial> serial;  ///< none: a number that no certificate of ours can have

  /// @errors Malformed.
  static Result<CertId> from_der(ByteView der);
  /// Whether it means certificates of that CA. By a digest that we do not know it means nobody's.
  bool is_of(const Certificate& issuer) const;
};

/// OCSPRequest (4.1.1). A signature on it is passed over: whoever asks gets the same answer.
struct OcspRequest {
  std::vector<CertId> asked;
  std::optional<Bytes> nonce;  ///< the content of its extension's value, octet for octet
};
/// @errors Malformed; TooLarge: octets, or more than kMostOcspAsked certificates; Unsupported: a critical extension.
Result<OcspRequest> parse_ocsp_request(ByteView der);

/// An OCSPRequest about one certificate, without a nonce (RFC 5019 2.1). @errors Malformed.
Result<Bytes> make_ocsp_request(const Certificate& issuer, const Serial& serial);

enum class OcspStatus : std::uint8_t { Good, Revoked, Unknown };
std::string_view to_text(OcspStatus status);
std::optional<OcspStatus> ocsp_status_from(std::string_view text);

/// SingleResponse (4.2.1) without its times.
struct OcspSingle {
  CertId id;
  OcspStatus status = OcspStatus::Unknown;
  Seconds revoked_at{};             ///< of Revoked
  int reason = kReasonUnspecified;  ///< likewise; left out when unspecified, as in CRLs (RFC 5280 5.3.1)
};

/// What decides the octets of one ResponseData (4.2.1).
struct OcspSpec {
  Certificate responder;
  std::vector<OcspSingle> answers{};
  Seconds this_update{};  ///< and producedAt: what is said is looked up when it is said
  Seconds next_update{};
  std::optional<Bytes> nonce{};
};
/// @errors InvalidParams: no answer, an empty period, a reason outside the table, a nonce of no length or too long.
Result<Bytes> build_ocsp_tbs(const OcspSpec& spec);

/// BasicOCSPResponse with the responder's certificate in it. @errors Malformed.
Result<Bytes> assemble_ocsp(ByteView tbs, crypto::SignatureAlgorithm algorithm, ByteView signature, const Certificate& responder);

/// OCSPResponseStatus (4.2.1) of what is said without a signature.
enum class OcspRefusal : std::uint8_t { MalformedRequest = 1, InternalError = 2, TryLater = 3, Unauthorized = 6 };
std::string_view to_text(OcspRefusal refusal);
/// OCSPResponse around a BasicOCSPResponse, or around nothing.
Bytes ocsp_response(ByteView basic);
Bytes ocsp_response(OcspRefusal refusal);

}  // namespace chancery::x509
