#include "clients/acme/targets.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>

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

/// IPv6 networks whose addresses carry an IPv4 address, and where.
struct Carrier {
  std::string_view base;
  int prefix_bits;
  std::size_t offset;
};
constexpr std::array kCarriers{
    Carrier{"::ffff:0:0", 96, 12},  // IPv4-mapped (RFC 4291 2.5.5.2)
    Carrier{"64:ff9b::", 96, 12},   // NAT64 (RFC 6052)
    Carrier{"2002::", 16, 2},       // 6to4 (RFC 3056)
    Carrier{"::", 96, 12},          // IPv4-compatible (RFC 4291 2.5.5.1)
};

bool is_inside(const IpAddress& address, std::string_view base_text, int bits) {
  const auto base = IpAddress::parse(base_text).value();
  if (base.is_v6() != address.is_v6()) return false;
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(base.octets().begin(), base.octets().begin() + static_cast<std::ptrdiff_t>(whole), address.octets().begin()))
    return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8) & 0xff;
  return (base.octets()[whole] & mask) == (address.octets()[whole] & mask);
}

Status check_plain(const IpAddress& address, bool allow_loopback) {
  for (const auto& network : kForbidden) {
    if (network.when == When::IfLoopbackIsAllowed && allow_loopback) continue;
    if (is_inside(address, network.base, network.prefix_bits)) {
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

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  IpAddress address;
  if (::inet_pton(AF_INET, copy.c_str(), address.octets_.data()) == 1) return address;
  address.v6_ = true;
  if (::inet_pton(AF_INET6, copy.c_str(), address.octets_.data()) == 1) return address;
  return Error(Code::Malformed, "not an IP address");
}

Result<IpAddress> IpAddress::from_octets(std::string_view octets) {
  if (octets.size() != 4 && octets.size() != 16)
    return Error(Code::Malformed, "address of " + std::to_string(octets.size()) + " octets");
  IpAddress address;
  address.v6_ = octets.size() == 16;
  std::ranges::copy(octets, address.octets_.begin());
  return address;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(v6_ ? AF_INET6 : AF_INET, octets_.data(), text.data(), text.size());
  return text.data();
}

std::string IpAddress::host_text() const { return v6_ ? "[" + text() + "]" : text(); }

IpAddress IpAddress::embedded() const {
  constexpr std::string_view kV6Loopback = "::1";
  if (!v6_ || text() == kV6Loopback || text() == "::") return *this;
  for (const auto& carrier : kCarriers) {
    if (!is_inside(*this, carrier.base, carrier.prefix_bits)) continue;
    IpAddress inner;
    std::copy_n(octets_.begin() + static_cast<std::ptrdiff_t>(carrier.offset), 4, inner.octets_.begin());
    return inner;
  }
  return *this;
}

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
