#include "server/x509/csr.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// A certificate request, DER or PEM.
FUZZ_TARGET(csr) {
  for (const auto& csr : {x509::Csr::from_der(base::as_bytes(input)), x509::Csr::from_pem(input)}) {
    if (!csr.ok()) continue;
    static_cast<void>(csr->verify_possession().ok());
    static_cast<void>(csr->subject().to_slash().size());
    if (const auto password = csr->challenge_password(); password.ok()) fuzz::hold(password->size() <= 255);
    for (const auto& san : csr->sans()) {
      const auto again = x509::GeneralName::parse(san.to_text());
      fuzz::hold(again.ok() && *again == san);
    }
  }
}
