#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "server/base/result.h"

namespace chancery::acme {

inline constexpr int kMaxRedirects = 10;                     ///< PROMISES F45
inline constexpr std::chrono::seconds kValidationLimit{10};  ///< of all names, addresses and hops together

/// What http-01 asks for one name (RFC 8555 8.3).
struct Http01Question {
  std::string host;  ///< the identifier's value
  std::string token;
  std::string thumbprint;  ///< of the account's key
  int port = 80;
  std::string resolver;  ///< of the realm; empty: the system's
  bool allow_loopback = false;
};

/// What came of it.
struct Verdict {
  std::optional<Error> error;  ///< with its ACME type; none: the proof was found
  std::string evidence;        ///< every URL and address that was tried, and what came back, for the audit
};

/// Fetches the key authorization: resolves, checks each address against the forbidden networks and connects to exactly the
/// address that was checked; IPv6 first. Redirects are followed by hand, each hop resolved and checked anew, to ports 80, 443
/// and the realm's own only. Blocks, kValidationLimit at most.
Verdict validate_http01(const Http01Question& question);

}  // namespace chancery::acme
