#include "server/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <string>

namespace chancery::base {

std::optional<Bytes> octets_of_address(std::string_view text) {
  std::array<std::uint8_t, sizeof(in6_addr)> octets{};
  const std::string copy(text);
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (::inet_pton(AF_INET, copy.c_str(), octets.data()) == 1) return Bytes(octets.begin(), octets.begin() + sizeof(in_addr));
  if (::inet_pton(AF_INET6, copy.c_str(), octets.data()) == 1) return Bytes(octets.begin(), octets.end());
  return std::nullopt;
}

bool is_loopback(std::string_view address) {
  constexpr std::size_t kFirstMapped = 12;  // of 16 octets
  const auto octets = octets_of_address(address);
  if (!octets) return false;
  if (octets->size() == sizeof(in_addr)) return octets->front() == IN_LOOPBACKNET;
  in6_addr six{};
  std::memcpy(&six, octets->data(), sizeof six);
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && octets->at(kFirstMapped) == IN_LOOPBACKNET);
}

bool is_localhost(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

}  // namespace chancery::base
