#include "server/x509/certificate.h"

#include "server/x509/lint.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

void check(const x509::Certificate& certificate) {
  const auto again = x509::Certificate::from_pem(certificate.pem());
  fuzz::hold(again.ok() && *again == certificate);
  static_cast<void>(certificate.verify_signed_by(certificate).ok());
  const auto tbs = certificate.tbs();
  static_cast<void>(x509::lint_certificate(Bytes(tbs.begin(), tbs.end()), certificate.algorithm(), {}).ok());
}

}  // namespace

/// A certificate that somebody brings, DER or a chain as PEM.
FUZZ_TARGET(certificate) {
  if (const auto one = x509::Certificate::from_der(base::as_bytes(input)); one.ok()) check(*one);
  const auto chain = x509::Certificate::from_pem_chain(input);
  if (!chain.ok()) return;
  fuzz::hold(!chain->empty() && chain->size() <= x509::kMaxChain);
  for (const auto& one : *chain) check(one);
}
