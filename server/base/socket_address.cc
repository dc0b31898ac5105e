#include "server/base/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "server/base/address.h"

namespace chancery::base {

namespace {

template <class Raw>
SocketAddress stored(const Raw& raw) {
  SocketAddress address;
  std::memcpy(&address.storage, &raw, sizeof raw);
  address.length = sizeof raw;
  return address;
}

}  // namespace

std::optional<SocketAddress> SocketAddress::parse(std::string_view literal, std::uint16_t port) {
  const auto octets = octets_of_address(literal);
  if (!octets) return std::nullopt;
  if (octets->size() == sizeof(in_addr)) {
    sockaddr_in four{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    std::memcpy(&four.sin_addr, octets->data(), octets->size());
    return stored(four);
  }
  sockaddr_in6 six{.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_flowinfo = 0, .sin6_addr = {}, .sin6_scope_id = 0};
  std::memcpy(&six.sin6_addr, octets->data(), octets->size());
  return stored(six);
}

std::string host_of(const sockaddr* address) {
  const void* octets = nullptr;
  if (address->sa_family == AF_INET) octets = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6) octets = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (octets == nullptr || ::inet_ntop(address->sa_family, octets, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::uint16_t port_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port);
  if (address->sa_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(address)->sin6_port);
  return 0;
}

}  // namespace chancery::base
