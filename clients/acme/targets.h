#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"

namespace chancery::acme {

/// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses (RFC 4291 2.5.5.2) are kept as IPv6.
class IpAddress {
 public:
  /// @errors Malformed: neither.
  static Result<IpAddress> parse(std::string_view text);
  /// @param octets  4 or 16 of them, network order.
  static Result<IpAddress> from_octets(std::string_view octets);

  bool is_v6() const { return v6_; }
  const std::array<std::uint8_t, 16>& octets() const { return octets_; }  ///< IPv4: the first four
  /// RFC 5952 form, without brackets.
  std::string text() const;
  /// With brackets around IPv6, as URLs have it.
  std::string host_text() const;
  /// The IPv4 address inside a mapped, NAT64, 6to4 or compatible one; itself otherwise.
  IpAddress embedded() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v6_ = false;
  std::array<std::uint8_t, 16> octets_{};
};

/// Whether validation may connect there (PROMISES F45-F47). RFC 1918 and ULA networks are allowed: private PKIs live there.
/// Loopback only when the realm allows it; link-local, multicast, unspecified, broadcast and reserved networks never, and
/// neither an IPv6 address that leads to such an IPv4 one.
/// @errors Denied: the message names the network.
Status check_target(const IpAddress& address, bool allow_loopback);

/// The addresses of this machine's interfaces now. What they lead to is what loopback leads to.
std::vector<IpAddress> own_addresses();

}  // namespace chancery::acme
