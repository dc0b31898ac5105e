#pragma once

#include <string>

#include "clients/acme/targets.h"
#include "clients/dns/lookup.h"
#include "server/base/bytes.h"

/// The one door to TLS as a client: a handshake with one address, and nothing else.
namespace chancery::acme {

struct Greeting {
  IpAddress address;
  int port = 0;
  std::string server_name{};  ///< SNI (RFC 6066 3)
  std::string protocol{};     ///< the one that ALPN offers (RFC 7301), at most 255 octets
};

/// What the other side has shown.
struct Shown {
  std::string protocol{};        ///< that it chose by ALPN; empty: none
  Bytes certificate{};           ///< DER of its own certificate
  std::size_t certificates = 0;  ///< how many it sent
};

/// TLS 1.2 or 1.3; whether the certificate can be trusted is not asked. Closes at once.
/// @errors ACME types: connection, passing (refused, unreachable, timed out, broken off); tls: no handshake came about.
Result<Shown> shake_hands(const Greeting& greeting, dns::Deadline deadline);

}  // namespace chancery::acme
