#include "clients/acme/targets.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace chancery::acme {
namespace {

enum class When : std::uint8_t { Never, IfLoopbackIsAllowed };

struct Network {
  std::string_view base;
  int prefix_bits;
  When when;
  std::string_view what;
};

/// IANA's special-purpose registries, as far as nobody's web server is there.
constexpr std::array kForbidden{
    Network{"0.0.0.0", 8, When::Never, "unspecified (RFC 1122 3.2.1.3)"},
    Network{"127.0.0.0", 8, When::IfLoopbackIsAllowed, "loopback (RFC 1122 3.2.1.3)"},
    Network{"169.254.0.0", 16, When::Never, "link-local (RFC 3927)"},
    Network{"192.0.0.0", 24, When::Never, "protocol assignments (RFC 6890)"},
    Network{"224.0.0.0", 4, When::Never, "multicast (RFC 5771)"},
    Network{"240.0.0.0", 4, When::Never, "reserved or broadcast (RFC 1112)"},
    Network{"::", 128, When::Never, "unspecified (RFC 4291)"},
    Network{"::1", 128, When::IfLoopbackIsAllowed, "loopback (RFC 4291)"},
    Network{"100::", 64, When::Never, "discard-only (RFC 6666)"},
    Network{"fe80::", 10, When::Never, "link-local (RFC 4291)"},
    Network{"fec0::", 10, When::Never, "site-local (RFC 3879)"},
    Network{"ff00::", 8, When::Never, "multicast (RFC 4291)"},
};

Status check_plain(const IpAddress& address, bool allow_loopback) {
  for (const auto& network : kForbidden) {
    if (network.when == When::IfLoopbackIsAllowed && allow_loopback) continue;
    if (address.lies_in(IpAddress::parse(network.base).value(), network.prefix_bits)) {
      return Error(Code::Denied, address.text() + " is " + std::string(network.what) + ": validation does not connect there");
    }
  }
  return {};
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

Status check_target(const IpAddress& address, bool allow_loopback) {
  PKI_TRY_VOID(check_plain(address, allow_loopback));
  return check_plain(address.embedded(), allow_loopback);
}

std::vector<IpAddress> own_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, InterfacesFree> held(list);
  std::vector<IpAddress> all;
  for (const auto* one = list; one != nullptr; one = one->ifa_next) {
    const auto address = IpAddress::from_octets(octets_of(one->ifa_addr));
    if (address.ok()) all.push_back(*address);
  }
  return all;
}

}  // namespace chancery::acme
