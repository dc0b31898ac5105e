#pragma once

#include "clients/http/gateway.h"
#include "clients/http/router.h"

namespace chancery::http {

/// What anybody may fetch over plain HTTP (RFC 5280 4.2.1.13 and 4.2.2.1): /crl /crl.pem, delta CRLs as
/// /delta-crl /delta-crl.pem, /ca.crt /ca.pem, of a generation of a CA
/// below /cas/{ca}/, where its cross certificates are, too; /ocsp (RFC 6960 A.1); and /livez, /readyz
/// for those who watch the service.
class Publisher {
 public:
  explicit Publisher(Gateway& gateway) : gateway_(gateway) {}
  void add_routes(Router& router);

 private:
  enum class Form : std::uint8_t { Der, Pem };
  Response crl(const Request& request, Form form, std::string_view kind = {});
  Response authority(const Request& request, Form form);
  Response cross(const Request& request, std::string_view member);
  Response ready(const Request& request);
  Response ocsp(const Request& request, const std::string& asked);
  static Json which(const Request& request);

  Gateway& gateway_;
};

}  // namespace chancery::http
