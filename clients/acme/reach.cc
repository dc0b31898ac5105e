#include "clients/acme/reach.h"

#include <algorithm>

#include "clients/acme/problems.h"

namespace chancery::acme {

Result<std::vector<IpAddress>> permitted_addresses(const std::string& host, const Rules& rules, Deadline deadline) {
  auto addresses = dns::addresses_of(host, rules.resolver, deadline);
  if (!addresses.ok()) return as_dns_error(addresses.error());
  // Where loopback is allowed, so are they: then nobody need ask the kernel.
  const auto own = rules.grounds.allow_loopback ? std::vector<IpAddress>() : own_addresses();
  std::string why;
  std::erase_if(*addresses, [&](const IpAddress& address) {
    const auto permitted = check_target(address, rules.grounds, own);
    if (!permitted.ok()) why = permitted.error().message();
    return !permitted.ok();
  });
  if (addresses->empty()) return acme_error("connection", why);
  return addresses;
}

Status ask_each(const std::vector<IpAddress>& addresses, const std::string& place, Deadline deadline, Evidence& evidence,
                const std::function<Status(const IpAddress&)>& ask) {
  Status last = acme_error("connection", "no address was tried");
  for (const auto& address : addresses) {
    const auto asked = ask(address);
    if (asked.ok()) return {};
    evidence.note(place + " at " + address.text() + ": " + asked.error().message());
    last = asked.error().within(address.text());
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  return last;
}

}  // namespace chancery::acme
