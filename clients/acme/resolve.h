#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "clients/acme/targets.h"

namespace chancery::acme {

inline constexpr std::size_t kMaxAddresses = 8;  ///< of each family; further ones of an answer are passed over (PROMISES F46)

/// The addresses of a host: IPv6 ones first. An address literal stands for itself; "localhost" and names below it are
/// loopback without asking anybody (RFC 6761 6.3).
///
/// @param resolver  "ADDR:PORT" or "[ADDR]:PORT" to ask; empty: the system's resolv.conf and hosts files.
/// @errors with ACME type dns: no such name, no addresses, or no answer by the deadline.
Result<std::vector<IpAddress>> resolve(const std::string& host, const std::string& resolver,
                                       std::chrono::steady_clock::time_point deadline);

}  // namespace chancery::acme
