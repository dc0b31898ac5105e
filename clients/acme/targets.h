#pragma once

#include <vector>

#include "clients/dns/address.h"
#include "server/base/network.h"

namespace chancery::acme {

using base::Network;
using dns::IpAddress;

/// What a realm says about where validation may connect to (PROMISES F45-F47).
struct Grounds {
  bool allow_loopback = false;       ///< and what leads there: this machine's other addresses
  std::vector<Network> allowed{};    ///< although they are forbidden otherwise
  std::vector<Network> forbidden{};  ///< beside those that are forbidden anyway
};

/// Whether validation may connect there. RFC 1918 and ULA networks are allowed: private PKIs live there. Forbidden without a word
/// of the realm's: loopback, link-local, multicast, unspecified, broadcast and reserved networks, and this machine's own
/// addresses. Of all networks that an address lies in, the smallest one decides; of two equal ones the realm's before what is
/// built in, and a forbidden one before an allowed one. An IPv6 address that leads to an IPv4 one has to pass as both.
///
/// @param own  the addresses of this machine
/// @errors Denied: the message names the network.
Status check_target(const IpAddress& address, const Grounds& grounds, const std::vector<IpAddress>& own);

/// The addresses of this machine's interfaces now, but for loopback ones. What they lead to is what loopback leads to.
std::vector<IpAddress> own_addresses();

}  // namespace chancery::acme
