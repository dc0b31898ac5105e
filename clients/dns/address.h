#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/bytes.h"

namespace chancery::dns {

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
  /// Its 4 or 16 octets.
  ByteView view() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v6_ = false;
  std::array<std::uint8_t, 16> octets_{};
};

}  // namespace chancery::dns
