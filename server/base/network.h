#pragma once

#include <string>
#include <string_view>

#include "server/base/bytes.h"
#include "server/base/result.h"

namespace chancery::base {

/// A network of IPv4 or IPv6 addresses: 10.0.0.0/8, fd00::/8. An address alone is a network of its own.
class Network {
 public:
  /// @errors Malformed: neither; the message says what was expected.
  static Result<Network> parse(std::string_view text);
  /// @param octets  an address, 4 or 16
  static Network of_one(ByteView octets);

  /// @param octets  of an address; one of the other family never lies in it
  bool contains(ByteView octets) const;
  /// @param address  as text; an IPv4-mapped IPv6 one (RFC 4291 2.5.5.2) is the IPv4 one, and what is no address never lies in it
  bool contains(std::string_view address) const;
  /// How many leading bits count: of two networks with an address in common the longer one lies within the other.
  std::size_t bits() const { return bits_; }
  /// Without the bits that do not count: 10.0.0.1/8 is 10.0.0.0/8.
  Network whole() const;
  /// Whether its address lies in ::ffff:0:0/96, where IPv4 ones are written otherwise (RFC 4291 2.5.5.2): what its prefix counts
  /// would be anybody's guess.
  bool is_mapped() const;
  /// "10.0.0.0/8"
  std::string text() const;

 private:
  Bytes octets_;
  std::size_t bits_ = 0;
};

}  // namespace chancery::base
