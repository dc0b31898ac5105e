#include "server/x509/certificate.h"
#include "server/x509/foreign.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// Another program's certificate, DER or PEM: what our own reader takes it takes, too, and they agree.
FUZZ_TARGET(foreign_certificate) {
  const auto foreign = x509::read_foreign_certificate(input);
  const auto ours = x509::Certificate::from_der(base::as_bytes(input));
  if (!foreign.ok() || !ours.ok()) return;
  fuzz::hold(foreign->serial == ours->serial() && foreign->misshape.empty() && foreign->not_after == ours->not_after());
  fuzz::hold(foreign->subject == ours->subject().to_slash());
}
