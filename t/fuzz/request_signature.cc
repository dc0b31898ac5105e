#include "server/x509/pem.h"
#include "server/x509/signed_request.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// Who signed a request for its subject: CMS, DER or PEM. What fits the request does not fit another one.
FUZZ_TARGET(request_signature) {
  static const auto request = base::as_bytes(std::string_view("a request"));
  static const auto other = base::as_bytes(std::string_view("another request"));
  for (const auto& pem : {std::string(input), x509::to_pem("CMS", base::as_bytes(input))}) {
    const auto signer = x509::signer_of(request, pem);
    if (!signer.ok()) continue;
    fuzz::hold(x509::Certificate::from_pem(signer->pem()).ok());
    fuzz::hold(!x509::signer_of(other, pem).ok());
  }
}
