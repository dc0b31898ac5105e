#include "server/base/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "server/base/address.h"
#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::size_t kOctetBits = 8;
constexpr std::size_t kV4Octets = 4;
constexpr std::size_t kMaxShown = 80;
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  ///< what mapped addresses begin with

bool begins_as_mapped(ByteView octets) {
  return octets.size() > kMapped.size() && std::ranges::equal(octets.first(kMapped.size()), kMapped);
}

/// The whole text as a number of bits, at most `most`.
std::optional<std::size_t> bits_of(std::string_view digits, std::size_t most) {
  std::size_t bits = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (digits.starts_with('0') && digits != "0") return std::nullopt;  // 08 is no number where zeros mean octal
  const bool is_number = failure == std::errc() && end == digits.data() + digits.size();
  return is_number && bits <= most ? std::optional(bits) : std::nullopt;
}

}  // namespace

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto octets = octets_of_address(text.substr(0, slash));
  if (octets) {
    auto network = of_one(*octets);
    if (slash == std::string_view::npos) return network;
    if (const auto bits = bits_of(text.substr(slash + 1), network.bits_)) {
      network.bits_ = *bits;
      return network;
    }
  }
  return Error(Code::Malformed,
               "found \"" + printable(text, kMaxShown) + "\", expected a network like 10.0.0.0/8 or fd00::/8, or an address");
}

Network Network::of_one(ByteView octets) {
  Network network;
  network.octets_.assign(octets.begin(), octets.end());
  network.bits_ = octets.size() * kOctetBits;
  return network;
}

bool Network::contains(ByteView octets) const {
  if (octets.size() != octets_.size()) return false;
  for (std::size_t bit = 0; bit < bits_; ++bit) {
    const auto mask = 0x80U >> (bit % kOctetBits);
    if ((octets[bit / kOctetBits] & mask) != (octets_[bit / kOctetBits] & mask)) return false;
  }
  return true;
}

bool Network::contains(std::string_view address) const {
  const auto octets = octets_of_address(address);
  if (!octets) return false;
  return contains(begins_as_mapped(*octets) ? ByteView(*octets).subspan(kMapped.size()) : ByteView(*octets));
}

Network Network::whole() const {
  auto network = *this;
  for (std::size_t bit = bits_; bit < octets_.size() * kOctetBits; ++bit) {
    auto& octet = network.octets_[bit / kOctetBits];
    octet = static_cast<std::uint8_t>(octet & ~(0x80U >> (bit % kOctetBits)));
  }
  return network;
}

bool Network::is_mapped() const { return begins_as_mapped(octets_); }

std::string Network::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(octets_.size() == kV4Octets ? AF_INET : AF_INET6, octets_.data(), text.data(), text.size());
  return std::string(text.data()) + "/" + std::to_string(bits_);
}

}  // namespace chancery::base
