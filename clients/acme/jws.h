#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "clients/acme/jwk.h"
#include "server/base/bytes.h"
#include "server/wire/json.h"

namespace chancery::acme {

/// What the place of a JWS demands of its protected header.
enum class JwsPlace {
  Request,   ///< body of a request: alg, nonce, url and one of jwk and kid (RFC 8555 6.2)
  KeyChange  ///< inside a key change: alg, jwk and url; no nonce (7.3.5)
};

/// A JWS of RFC 8555 6.2, taken apart; the signature is NOT checked here (see verify).
struct Jws {
  std::string algorithm;  ///< one of the table in jws.cc
  std::string nonce;
  std::string url;
  std::optional<Json> jwk;  ///< exactly one of jwk and kid
  std::string kid;
  std::string payload;
  std::string signing_input;  ///< RFC 7515 5.1 step 8
  Bytes signature;
};

/// Reads a flattened JSON serialisation (RFC 7515 7.2.2): members protected, payload and signature, and nothing else.
///
/// @errors malformed: any other form, duplicate or unknown members, crit or b64, jwk beside kid or neither, an empty
/// signature; badSignatureAlgorithm: anything but ES256, ES384, ES512, RS256, EdDSA (so neither none nor a MAC).
Result<Jws> read_jws(const Json& json, JwsPlace place);
/// The same of a request's body. @errors also malformed: no JSON text.
Result<Jws> parse_jws(std::string_view body, JwsPlace place);

/// @errors badSignatureAlgorithm: the algorithm is not that of the key; malformed: the signature has not the algorithm's
/// length, or does not verify.
Status verify(const Jws& jws, const crypto::PublicKey& key);

}  // namespace chancery::acme
