#include "server/x509/crl.h"

#include "t/fuzz/target.h"

using namespace chancery;

/// A CRL, DER or PEM.
FUZZ_TARGET(crl) {
  for (const auto& crl : {x509::Crl::from_der(base::as_bytes(input)), x509::Crl::from_pem(input)}) {
    if (!crl.ok()) continue;
    const auto again = x509::Crl::from_pem(crl->pem());
    fuzz::hold(again.ok() && again->entries() == crl->entries() && again->number() == crl->number());
  }
}
