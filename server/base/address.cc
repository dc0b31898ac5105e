#include "server/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>

namespace chancery::base {

bool is_loopback(std::string_view address) {
  constexpr int kFirstMapped = 12;  // of 16 octets
  const std::string text(address);
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) == 1)
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[kFirstMapped] == IN_LOOPBACKNET);
  return ::inet_pton(AF_INET, text.c_str(), &four) == 1 && ntohl(four.s_addr) >> 24U == IN_LOOPBACKNET;
}

bool is_localhost(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

}  // namespace chancery::base
