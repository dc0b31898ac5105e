#include "server/x509/ocsp.h"

#include "t/fuzz/target.h"

using namespace chancery;

/// An OCSPRequest: what an answer repeats of it is what came.
FUZZ_TARGET(ocsp_request) {
  const auto asked = x509::parse_ocsp_request(base::as_bytes(input));
  if (!asked.ok()) return;
  fuzz::hold(!asked->asked.empty() && asked->asked.size() <= x509::kMostOcspAsked);
  for (const auto& id : asked->asked) {
    const auto again = x509::CertId::from_der(id.der);
    fuzz::hold(again.ok() && again->der == id.der && again->serial == id.serial && again->key_hash == id.key_hash);
    fuzz::hold(input.find(base::as_text(id.der)) != std::string::npos);
  }
}
