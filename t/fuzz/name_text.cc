#include "server/x509/name.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

void check(const x509::Name& name) {
  const auto slash = x509::Name::from_slash(name.to_slash());
  const auto comma = x509::Name::from_comma(name.to_comma());
  fuzz::hold(slash.ok() && *slash == name && comma.ok() && *comma == name);
  const auto der = name.der();
  if (!der.ok()) return;
  const auto again = x509::Name::from_der(*der);
  fuzz::hold(again.ok() && *again == name);
}

}  // namespace

/// A distinguished name in one of its spellings, or as DER.
FUZZ_TARGET(name_text) {
  if (const auto name = x509::Name::parse_any(input); name.ok()) check(*name);
  if (const auto name = x509::Name::from_der(base::as_bytes(input)); name.ok()) check(*name);
}
