#include "clients/dns/address.h"

#include <arpa/inet.h>

#include <algorithm>

#include "server/base/address.h"
#include "server/base/network.h"

namespace chancery::dns {
namespace {

constexpr std::size_t kV4Octets = 4;
constexpr std::size_t kV6Octets = 16;

/// An IPv6 network whose addresses carry an IPv4 address, and where.
struct Carrier {
  base::Network network;
  std::ptrdiff_t offset;
};

const std::array<Carrier, 4>& carriers() {
  static const std::array<Carrier, 4> kCarriers{{
      {base::Network::parse("::ffff:0:0/96").value(), 12},  // IPv4-mapped (RFC 4291 2.5.5.2)
      {base::Network::parse("64:ff9b::/96").value(), 12},   // NAT64 (RFC 6052)
      {base::Network::parse("2002::/16").value(), 2},       // 6to4 (RFC 3056)
      {base::Network::parse("::/96").value(), 12},          // IPv4-compatible (RFC 4291 2.5.5.1)
  }};
  return kCarriers;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const auto octets = base::octets_of_address(text);
  if (!octets) return Error(Code::Malformed, "not an IP address");
  return from_octets(base::as_text(*octets));
}

Result<IpAddress> IpAddress::from_octets(std::string_view octets) {
  if (octets.size() != kV4Octets && octets.size() != kV6Octets)
    return Error(Code::Malformed, "address of " + std::to_string(octets.size()) + " octets");
  IpAddress address;
  address.v6_ = octets.size() == kV6Octets;
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
  for (const auto& carrier : carriers()) {
    if (!carrier.network.contains(view())) continue;
    IpAddress inner;
    std::copy_n(octets_.begin() + carrier.offset, kV4Octets, inner.octets_.begin());
    return inner;
  }
  return *this;
}

ByteView IpAddress::view() const { return ByteView(octets_).first(v6_ ? kV6Octets : kV4Octets); }

}  // namespace chancery::dns
