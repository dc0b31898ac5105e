#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "server/base/result.h"

namespace chancery::http {

/// An address with a prefix length (RFC 4632 3.1, RFC 4291 2.3); an address alone is a network of one.
class Network {
 public:
  /// "10.0.0.0/8", "192.0.2.7", "fd00::/8". @errors Malformed: no address, or a prefix that is no length for it.
  static Result<Network> parse(std::string_view text);

  /// Whether the address, as text, lies in it. An IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) is the IPv4 one.
  bool contains(std::string_view address) const;

 private:
  std::array<std::uint8_t, 16> octets_{};  ///< IPv4: the first four
  int bits_ = 0;                           ///< of the prefix
  bool v6_ = false;
};

}  // namespace chancery::http
