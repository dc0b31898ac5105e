#include "clients/acme/jws.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// The body of an ACME request.
FUZZ_TARGET(jws) {
  for (const auto place : {acme::JwsPlace::Request, acme::JwsPlace::KeyChange}) {
    const auto jws = acme::parse_jws(input, place);
    if (!jws.ok()) continue;
    fuzz::hold(jws->jwk.has_value() == jws->kid.empty() && !jws->signature.empty());
    if (!jws->jwk) continue;
    if (const auto key = acme::read_jwk(*jws->jwk); key.ok()) static_cast<void>(acme::verify(*jws, key->key).ok());
  }
}
