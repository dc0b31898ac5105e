#pragma once

#include <vector>

#include "clients/dns/address.h"

namespace chancery::acme {

using dns::IpAddress;

/// Whether validation may connect there (PROMISES F45-F47). RFC 1918 and ULA networks are allowed: private PKIs live there.
/// Loopback only when the realm allows it; link-local, multicast, unspecified, broadcast and reserved networks never, and
/// neither an IPv6 address that leads to such an IPv4 one.
/// @errors Denied: the message names the network.
Status check_target(const IpAddress& address, bool allow_loopback);

/// The addresses of this machine's interfaces now. What they lead to is what loopback leads to.
std::vector<IpAddress> own_addresses();

}  // namespace chancery::acme
