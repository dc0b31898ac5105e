#include "clients/dns/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace chancery::dns {
namespace {

/// IPv6 networks whose addresses carry an IPv4 address, and where.
struct Carrier {
  std::string_view network;
  int prefix_bits;
  std::size_t offset;
};
constexpr std::array kCarriers{
    Carrier{"::ffff:0:0", 96, 12},  // IPv4-mapped (RFC 4291 2.5.5.2)
    Carrier{"64:ff9b::", 96, 12},   // NAT64 (RFC 6052)
    Carrier{"2002::", 16, 2},       // 6to4 (RFC 3056)
    Carrier{"::", 96, 12},          // IPv4-compatible (RFC 4291 2.5.5.1)
};

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
    if (!lies_in(parse(carrier.network).value(), carrier.prefix_bits)) continue;
    IpAddress inner;
    std::copy_n(octets_.begin() + static_cast<std::ptrdiff_t>(carrier.offset), 4, inner.octets_.begin());
    return inner;
  }
  return *this;
}

bool IpAddress::lies_in(const IpAddress& network, int bits) const {
  if (network.v6_ != v6_) return false;
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(network.octets_.begin(), network.octets_.begin() + whole, octets_.begin())) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8) & 0xff;
  const auto at = static_cast<std::size_t>(whole);
  return (network.octets_.at(at) & mask) == (octets_.at(at) & mask);
}

}  // namespace chancery::dns
