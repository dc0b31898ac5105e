#include "clients/acme/targets.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <memory>
#include <string>
#include <string_view>

#include "server/base/address.h"

namespace chancery::acme {
namespace {

struct Special {
  Network network;
  bool is_loopback;
  std::string what;
};

/// IANA's special-purpose registries, as far as nobody's web server is there.
const std::vector<Special>& special_networks() {
  const auto network = [](std::string_view text) { return Network::parse(text).value(); };
  static const std::vector<Special> kSpecial{
      {network("0.0.0.0/8"), false, "unspecified (RFC 1122 3.2.1.3)"},
      {network("127.0.0.0/8"), true, "loopback (RFC 1122 3.2.1.3)"},
      {network("169.254.0.0/16"), false, "link-local (RFC 3927)"},
      {network("192.0.0.0/24"), false, "protocol assignments (RFC 6890)"},
      {network("224.0.0.0/4"), false, "multicast (RFC 5771)"},
      {network("240.0.0.0/4"), false, "reserved or broadcast (RFC 1112)"},
      {network("::/128"), false, "unspecified (RFC 4291)"},
      {network("::1/128"), true, "loopback (RFC 4291)"},
      {network("100::/64"), false, "discard-only (RFC 6666)"},
      {network("64:ff9b:1::/48"), false, "for translation to IPv4 (RFC 8215)"},
      {network("2001::/32"), false, "Teredo, which leads to an IPv4 address (RFC 4380)"},
      {network("fe80::/10"), false, "link-local (RFC 4291)"},
      {network("fec0::/10"), false, "site-local (RFC 3879)"},
      {network("ff00::/8"), false, "multicast (RFC 4291)"},
  };
  return kSpecial;
}

/// What decides about one address, as far as it has been looked for.
class Decision {
 public:
  explicit Decision(const IpAddress& address) : address_(address) {}

  /// The smaller network wins, of equal ones the later word.
  /// @param why  of a forbidden one, for people: "loopback"; empty: it is allowed
  void hear(const Network& network, const std::string& why) {
    if (!network.contains(address_.view()) || (heard_ && network.bits() < bits_)) return;
    heard_ = true;
    bits_ = network.bits();
    why_ = why;
  }

  Status outcome() const {
    if (why_.empty()) return {};
    return Error(Code::Denied, address_.text() + " is " + why_ + ": validation does not connect there");
  }

 private:
  const IpAddress& address_;
  bool heard_ = false;
  std::size_t bits_ = 0;
  std::string why_;
};

Status check_plain(const IpAddress& address, const Grounds& grounds, const std::vector<IpAddress>& own) {
  Decision decision(address);
  for (const auto& one : special_networks()) {
    if (!one.is_loopback || !grounds.allow_loopback) decision.hear(one.network, one.what);
  }
  for (const auto& one : own) {
    if (!grounds.allow_loopback) decision.hear(Network::of_one(one.view()), "this machine's own address");
  }
  for (const auto& one : grounds.allowed) decision.hear(one, "");
  for (const auto& one : grounds.forbidden) decision.hear(one, "in " + one.text() + " of forbidden_networks");
  return decision.outcome();
}

struct InterfacesFree {
  void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

/// The octets of an interface's address, empty for one that is no IP address.
std::string_view octets_of(const sockaddr* address) {
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    return {reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr), sizeof(in_addr)};
  }
  if (address->sa_family != AF_INET6) return {};
  return {reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr), sizeof(in6_addr)};
}

}  // namespace

Status check_target(const IpAddress& address, const Grounds& grounds, const std::vector<IpAddress>& own) {
  PKI_TRY_VOID(check_plain(address, grounds, own));
  return check_plain(address.embedded(), grounds, own);
}

std::vector<IpAddress> own_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, InterfacesFree> held(list);
  std::vector<IpAddress> all;
  for (const auto* one = list; one != nullptr; one = one->ifa_next) {
    const auto address = IpAddress::from_octets(octets_of(one->ifa_addr));
    if (address.ok() && !base::is_loopback(address->text())) all.push_back(*address);
  }
  return all;
}

}  // namespace chancery::acme
