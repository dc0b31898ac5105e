#pragma once

#include <chrono>
#include <string>

#include "clients/acme/targets.h"

/// The one door to libcurl: one HTTP exchange with one address, nothing followed, nothing looked up.
namespace chancery::acme {

struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< a name, or an address (IPv6 in brackets)
  int port = 0;
  std::string text;  ///< the whole
};
/// @errors malformed type: not an absolute http or https URL, with user name or above 2000 octets.
Result<Url> parse_url(const std::string& text);

struct FetchLimits {
  std::chrono::steady_clock::time_point deadline;
  std::chrono::milliseconds connect{3000};
  std::size_t max_body = 0;
};

struct Fetched {
  int status = 0;
  std::string body;  ///< at most max_body
  bool body_was_cut = false;
  std::string location;  ///< absolute URL of a redirect; empty without one
};

/// GETs the URL from exactly that address. Certificates of https redirects are not checked: the CA cannot demand what it is
/// about to issue (RFC 8555 8.3).
/// @errors ACME types connection (refused, reset, timed out) and tls. What the peer sent is never in them.
Result<Fetched> fetch(const Url& url, const IpAddress& address, const FetchLimits& limits);

}  // namespace chancery::acme
