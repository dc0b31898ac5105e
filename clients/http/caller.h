#pragma once

#include <string>
#include <vector>

#include "clients/http/message.h"
#include "clients/http/settings.h"

namespace chancery::http {

/// The certificate that a request's sender has proved to possess: the one that our own TLS has seen proved, or, from a proxy that
/// the listener trusts, the one in the proxy's headers and no other. Headers from anywhere else are as good as absent (UPKI.md 6,
/// 5).
///
/// @return PEM. Whose CA it is from, whether it is valid and what its holder may do is the daemon's to say.
/// @errors AuthFailed: there is none, the TLS stack does not accept it, or the proxy's headers are not complete, given once,
/// SUCCESS and a certificate.
Result<std::string> presented_certificate(const Request& request, const ListenerSettings& listener);

}  // namespace chancery::http
