#include "clients/acme/tlsalpn01.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// The certificate of a TLS server that a stranger has named.
FUZZ_TARGET(tls_alpn_certificate) {
  static const auto name = x509::GeneralName::parse("DNS:www.shop.example").value();
  static const Bytes digest(32, 0x41);
  const auto judged = acme::check_acme_certificate(base::as_bytes(input), name, digest);
  fuzz::hold(judged.ok() || judged.error().message().size() < 1000);
}
