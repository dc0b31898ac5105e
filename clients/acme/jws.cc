#include "clients/acme/jws.h"

#include <algorithm>
#include <array>

#include "clients/acme/problems.h"
#include "server/base/text.h"
#include "server/crypto/signature.h"

namespace chancery::acme {
namespace {

using crypto::SignatureAlgorithm;
using Kind = base::KeySpec::Kind;

/// RFC 8555 6.2 with RFC 7518 3.1 and RFC 8037 3.1: an algorithm goes with one kind of key. ECDSA signatures have exactly
/// raw_octets; 0: the key's own size.
struct Algorithm {
  std::string_view name;
  SignatureAlgorithm algorithm;
  Kind kind;
  int bits;  ///< 0: any
  std::size_t raw_octets;
};
constexpr std::array kAlgorithms{
    Algorithm{"ES256", SignatureAlgorithm::EcdsaSha256, Kind::Ec, 256, 64},
    Algorithm{"ES384", SignatureAlgorithm::EcdsaSha384, Kind::Ec, 384, 96},
    Algorithm{"ES512", SignatureAlgorithm::EcdsaSha512, Kind::Ec, 521, 132},
    Algorithm{"RS256", SignatureAlgorithm::RsaSha256, Kind::Rsa, 0, 0},
    Algorithm{"EdDSA", SignatureAlgorithm::Ed25519, Kind::Ed25519, 256, 64},
};
constexpr std::array<std::string_view, 3> kJwsMembers{"protected", "payload", "signature"};
constexpr std::array<std::string_view, 5> kHeaderMembers{"alg", "nonce", "url", "jwk", "kid"};

Error malformed(std::string detail) { return acme_error("malformed", std::move(detail)); }

const Algorithm* find_algorithm(std::string_view name) {
  const auto found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == kAlgorithms.end() ? nullptr : &*found;
}

/// Every member is in the list: extensions (crit, b64), unprotected headers and general serialisations are refused alike.
Status only_members(const Json& json, std::span<const std::string_view> known, std::string_view what) {
  if (!json.is_object()) return malformed(std::string(what) + " is no object");
  for (const auto& [name, value] : *json.as_object()) {
    if (std::ranges::find(known, name) == known.end()) {
      return malformed(std::string(what) + ": member " + base::printable(name, 40) + " is not taken");
    }
  }
  return {};
}

Result<std::string> text_member(const Json& json, std::string_view name, std::string_view what) {
  const Json* value = json.find(name);
  if (value == nullptr || !value->is_string())
    return malformed(std::string(what) + ": member " + std::string(name) + " is no text");
  return *value->as_string();
}

Result<Bytes> decode(const std::string& text, std::string_view what) {
  auto octets = base::from_base64url(text);
  if (!octets.ok()) return malformed(std::string(what) + " is no base64url");
  return octets;
}

/// jwk or kid, one and only one; a key change and its like take jwk alone.
Status read_key(const Json& header, JwsPlace place, Jws& jws) {
  const Json* jwk = header.find("jwk");
  const Json* kid = header.find("kid");
  if ((jwk == nullptr) == (kid == nullptr)) return malformed("protected header: expected exactly one of jwk and kid");
  if (jwk != nullptr) {
    jws.jwk = *jwk;
    return {};
  }
  if (place == JwsPlace::KeyChange) return malformed("inner protected header: expected jwk, not kid");
  PKI_TRY(jws.kid, text_member(header, "kid", "protected header"));
  return {};
}

Status read_nonce(const Json& header, JwsPlace place, Jws& jws) {
  if (place == JwsPlace::KeyChange) {
    return header.find("nonce") == nullptr ? Status() : Status(malformed("inner protected header: a nonce must not be there"));
  }
  if (header.find("nonce") == nullptr) return acme_error("badNonce", "the protected header has no nonce");
  PKI_TRY(jws.nonce, text_member(header, "nonce", "protected header"));
  return {};
}

Status read_header(const Json& header, JwsPlace place, Jws& jws) {
  PKI_TRY_VOID(only_members(header, kHeaderMembers, "protected header"));
  PKI_TRY(jws.algorithm, text_member(header, "alg", "protected header"));
  if (find_algorithm(jws.algorithm) == nullptr) {
    return acme_error("badSignatureAlgorithm",
                      "algorithm " + base::printable(jws.algorithm, 20) + ", expected ES256, ES384, ES512, RS256 or EdDSA");
  }
  PKI_TRY_VOID(read_nonce(header, place, jws));
  PKI_TRY(jws.url, text_member(header, "url", "protected header"));
  return read_key(header, place, jws);
}

}  // namespace

Result<Jws> read_jws(const Json& json, JwsPlace place) {
  PKI_TRY_VOID(only_members(json, kJwsMembers, "JWS"));
  PKI_TRY(const auto header_text, text_member(json, "protected", "JWS"));
  PKI_TRY(const auto payload_text, text_member(json, "payload", "JWS"));
  PKI_TRY(const auto signature_text, text_member(json, "signature", "JWS"));
  PKI_TRY(const auto header_octets, decode(header_text, "JWS: protected"));
  PKI_TRY(const auto payload_octets, decode(payload_text, "JWS: payload"));
  Jws jws;
  PKI_TRY(jws.signature, decode(signature_text, "JWS: signature"));
  const auto header = wire::parse_json(base::as_text(header_octets));
  if (!header.ok()) return as_acme(header.error().within("protected header"), "malformed");
  PKI_TRY_VOID(read_header(*header, place, jws));
  // Not before the algorithm: one of "none" has an empty signature, and RFC 8555 6.2 has an answer for it.
  if (jws.signature.empty()) return malformed("JWS: the signature is empty");
  jws.payload = base::as_text(payload_octets);
  jws.signing_input = header_text + "." + payload_text;
  return jws;
}

Result<Jws> parse_jws(std::string_view body, JwsPlace place) {
  const auto json = wire::parse_json(body);
  if (!json.ok()) return as_acme(json.error().within("JWS"), "malformed");
  return read_jws(*json, place);
}

Status verify(const Jws& jws, const crypto::PublicKey& key) {
  const auto* row = find_algorithm(jws.algorithm);
  PKI_CHECK(row != nullptr);
  const auto spec = key.spec();
  if (spec.kind != row->kind || (row->bits != 0 && spec.bits != row->bits)) {
    return acme_error("badSignatureAlgorithm", "algorithm " + jws.algorithm + " with a key of kind " + base::to_text(spec));
  }
  if (row->raw_octets != 0 && jws.signature.size() != row->raw_octets) {
    return malformed("JWS: signature of " + std::to_string(jws.signature.size()) + " octets, expected " +
                     std::to_string(row->raw_octets));
  }
  Bytes signature = jws.signature;
  if (row->kind == Kind::Ec) {
    const auto der = crypto::ecdsa_raw_to_der(signature);
    if (!der.ok()) return as_acme(der.error(), "malformed");
    signature = *der;
  }
  if (!key.verify(row->algorithm, base::as_bytes(jws.signing_input), signature).ok())
    return malformed("the JWS signature does not verify");
  return {};
}

}  // namespace chancery::acme
