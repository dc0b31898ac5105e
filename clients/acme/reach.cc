#include "clients/acme/reach.h"

#include <algorithm>

#include "clients/acme/problems.h"

namespace chancery::acme {
namespace {

Status check(const IpAddress& address, bool allow_loopback) {
  PKI_TRY_VOID(check_target(address, allow_loopback));
  if (allow_loopback) return {};
  const auto own = own_addresses();
  const bool is_own = std::ranges::find(own, address) != own.end() || std::ranges::find(own, address.embedded()) != own.end();
  if (!is_own) return {};
  return Error(Code::Denied, address.text() + " is this machine's own address: validation does not connect there");
}

}  // namespace

Result<std::vector<IpAddress>> permitted_addresses(const std::string& host, const Rules& rules, Deadline deadline) {
  auto addresses = dns::addresses_of(host, rules.resolver, deadline);
  if (!addresses.ok()) return as_dns_error(addresses.error());
  std::string why;
  std::erase_if(*addresses, [&](const IpAddress& address) {
    const auto permitted = check(address, rules.allow_loopback);
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
