#include "clients/acme/jwk.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// A public key of a stranger.
FUZZ_TARGET(jwk) {
  const auto json = wire::parse_json(input);
  if (!json.ok()) return;
  const auto key = acme::read_jwk(*json);
  if (!key.ok()) return;
  const auto again = acme::read_jwk(key->json);
  fuzz::hold(again.ok() && again->thumbprint == key->thumbprint);
}
