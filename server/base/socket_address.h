#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chancery::base {

/// Where a TCP socket is bound, connected to or comes from.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  /// @param literal  an IPv4 or IPv6 address, without brackets. None: it is neither.
  static std::optional<SocketAddress> parse(std::string_view literal, std::uint16_t port);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// The address without its port: "127.0.0.1", "::1"; empty if it is of another kind.
std::string host_of(const sockaddr* address);
/// 0 if it is of another kind.
std::uint16_t port_of(const sockaddr* address);

}  // namespace chancery::base
