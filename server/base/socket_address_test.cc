#include "server/base/socket_address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace chancery::base {
namespace {

TEST(SocketAddressTest, takes_both_kinds_of_literal) {
  struct Row {
    const char* literal;
    std::uint16_t port;
    int family;
    socklen_t length;
    const char* host;
  };
  for (const auto& row : {Row{"192.0.2.7", 65535, AF_INET, sizeof(sockaddr_in), "192.0.2.7"},
                          Row{"2001:db8:0:0::7", 443, AF_INET6, sizeof(sockaddr_in6), "2001:db8::7"}}) {
    const auto address = SocketAddress::parse(row.literal, row.port);
    ASSERT_TRUE(address) << row.literal;
    EXPECT_EQ(address->storage.ss_family, row.family);
    EXPECT_EQ(address->length, row.length);
    EXPECT_EQ(host_of(address->get()), row.host);
    EXPECT_EQ(port_of(address->get()), row.port);
  }
}

TEST(SocketAddressTest, the_system_reads_what_was_parsed) {
  for (const char* literal : {"127.0.0.1", "::1"}) {
    const auto address = SocketAddress::parse(literal, 0);
    ASSERT_TRUE(address) << literal;
    const int socket = ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(socket, 0) << literal;
    EXPECT_EQ(::bind(socket, address->get(), address->length), 0) << literal << ": " << std::strerror(errno);
    SocketAddress bound;
    bound.length = sizeof bound.storage;
    EXPECT_EQ(::getsockname(socket, bound.get(), &bound.length), 0);
    EXPECT_EQ(host_of(bound.get()), literal);
    EXPECT_NE(port_of(bound.get()), 0);
    EXPECT_EQ(bound.length, address->length);
    ::close(socket);
  }
}

TEST(SocketAddressTest, refuses_what_is_no_literal) {
  using namespace std::string_view_literals;
  for (const auto text : {""sv, "localhost"sv, "127.0.0.1\0x"sv, "127.0.0.1 "sv, "127.1"sv, "0x7f.0.0.1"sv, "256.0.0.1"sv,
                          "[::1]"sv, "::1%lo"sv, "fe80::1::2"sv, "127.0.0.1:80"sv}) {
    EXPECT_FALSE(SocketAddress::parse(text, 80)) << text;
  }
}

TEST(SocketAddressTest, other_kinds_have_no_host) {
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  EXPECT_EQ(host_of(reinterpret_cast<const sockaddr*>(&path)), "");
  EXPECT_EQ(port_of(reinterpret_cast<const sockaddr*>(&path)), 0);
}

}  // namespace
}  // namespace chancery::base
