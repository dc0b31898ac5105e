#pragma once

#include <functional>
#include <string>
#include <vector>

#include "clients/acme/challenge.h"
#include "clients/acme/targets.h"

/// From a name to the addresses that validation may connect to.
namespace chancery::acme {

/// Looks the host up and leaves out what the realm may not connect to (targets.h). IPv6 first.
/// @errors dns: as addresses_of; connection: every address is forbidden, and why one of them is.
Result<std::vector<IpAddress>> permitted_addresses(const std::string& host, const Rules& rules, Deadline deadline);

/// Tries the addresses in order until one answers, whatever it says; each that does not is noted.
/// @param place  what is asked, for people: "http://a.example/x"
/// @param ask    @errors with an ACME type
/// @errors the last one's, with the address in front.
Status ask_each(const std::vector<IpAddress>& addresses, const std::string& place, Deadline deadline, Evidence& evidence,
                const std::function<Status(const IpAddress&)>& ask);

}  // namespace chancery::acme
