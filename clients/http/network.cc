#include "clients/http/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "server/base/text.h"

namespace chancery::http {
namespace {

constexpr int kBitsV4 = 32;
constexpr int kBitsV6 = 128;
constexpr std::size_t kMappedOctets = 12;

struct Address {
  std::array<std::uint8_t, 16> octets{};
  bool v6 = false;
};

std::optional<Address> parse_address(std::string_view text) {
  const std::string copy(text);
  Address address;
  if (::inet_pton(AF_INET, copy.c_str(), address.octets.data()) == 1) return address;
  if (::inet_pton(AF_INET6, copy.c_str(), address.octets.data()) != 1) return std::nullopt;
  constexpr std::array<std::uint8_t, kMappedOctets> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  address.v6 = !std::ranges::equal(kMapped, std::span(address.octets).first(kMappedOctets));
  if (!address.v6) std::ranges::copy(std::span(address.octets).subspan(kMappedOctets), address.octets.begin());
  return address;
}

Error not_a_network(std::string_view text) {
  return {Code::Malformed, "found \"" + base::printable(text, 64) + "\", expected an address or a network like 10.0.0.0/8"};
}

}  // namespace

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  // What the prefix of an IPv4-mapped network counts would be anybody's guess.
  const bool is_mapped = address && !address->v6 && text.find(':') != std::string_view::npos;
  if (!address || is_mapped) return not_a_network(text);
  Network network;
  network.octets_ = address->octets;
  network.v6_ = address->v6;
  const int most = address->v6 ? kBitsV6 : kBitsV4;
  network.bits_ = most;
  if (slash == std::string_view::npos) return network;
  const auto digits = text.substr(slash + 1);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), network.bits_);
  const bool whole = failure == std::errc() && end == digits.data() + digits.size();
  if (!whole || network.bits_ < 0 || network.bits_ > most) return not_a_network(text);
  return network;
}

bool Network::contains(std::string_view address) const {
  const auto parsed = parse_address(address);
  if (!parsed || parsed->v6 != v6_) return false;
  constexpr int kBitsOfOctet = 8;
  for (int bit = 0; bit < bits_; ++bit) {
    const auto octet = static_cast<std::size_t>(bit / kBitsOfOctet);
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % kBitsOfOctet));
    if (((octets_.at(octet) ^ parsed->octets.at(octet)) & mask) != 0) return false;
  }
  return true;
}

}  // namespace chancery::http
