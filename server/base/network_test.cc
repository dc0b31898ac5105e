#include "server/base/network.h"

#include <gtest/gtest.h>

namespace chancery::base {
namespace {

const Bytes kTenOne{10, 1, 2, 3};

TEST(Network, ContainsItsAddresses) {
  struct Case {
    const char* network;
    bool contains;
    std::size_t bits;
    const char* text;
  };
  const Case cases[] = {
      {"10.0.0.0/8", true, 8, "10.0.0.0/8"},     {"10.1.2.3", true, 32, "10.1.2.3/32"}, {"10.1.2.2/31", true, 31, "10.1.2.2/31"},
      {"10.1.2.4/31", false, 31, "10.1.2.4/31"}, {"0.0.0.0/0", true, 0, "0.0.0.0/0"},   {"::/0", false, 0, "::/0"},
      {"11.0.0.0/8", false, 8, "11.0.0.0/8"},    {"FD00::/8", false, 8, "fd00::/8"},
  };
  for (const auto& one : cases) {
    const auto network = Network::parse(one.network);
    ASSERT_TRUE(network.ok()) << one.network;
    EXPECT_EQ(network->contains(kTenOne), one.contains) << one.network;
    EXPECT_EQ(network->bits(), one.bits);
    EXPECT_EQ(network->text(), one.text);
  }
  EXPECT_TRUE(Network::of_one(kTenOne).contains(kTenOne));
  EXPECT_FALSE(Network::of_one(kTenOne).contains(Bytes{10, 1, 2, 4}));
}

TEST(Network, ContainsAddressesAsText) {
  const struct {
    const char* network;
    const char* address;
    bool want;
  } cases[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7", "192.0.2.6", false},
      {"192.0.2.4/30", "192.0.2.7", true},
      {"192.0.2.4/30", "192.0.2.8", false},
      {"0.0.0.0/0", "192.0.2.7", true},
      {"0.0.0.0/0", "::1", false},
      {"fd00::/8", "fd12::1", true},
      {"fd00::/8", "fe80::1", false},
      {"::1", "::1", true},
      {"::/0", "192.0.2.7", false},
      {"::/0", "::ffff:192.0.2.7", false},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"10.0.0.0/8", "::ffff:11.1.2.3", false},
      {"10.0.0.0/8", "::10.1.2.3", false},
      {"10.0.0.0/8", "10.1.2.3/32", false},
      {"10.0.0.0/8", "10.1.2.3.evil", false},
      {"10.0.0.0/8", "", false},
  };
  for (const auto& one : cases)
    EXPECT_EQ(Network::parse(one.network)->contains(one.address), one.want) << one.network << " " << one.address;
}

TEST(Network, RefusesWhatIsNone) {
  for (const auto* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/8x", "10.0.0.0/-1", "10/8", "10.0.0.0/ 8",
                          "example.com", "*.example.com", "[fd00::]/8", "10.0.0.256", "x", "localhost", "10.0.0/8",
                          "10.0.0.0/8/8", "10.0.0.0/08", "10.0.0.0/00"}) {
    const auto network = Network::parse(bad);
    ASSERT_FALSE(network.ok()) << bad;
    EXPECT_EQ(network.error().code(), Code::Malformed);
  }
}

TEST(Network, WholeIsWithoutTheBitsThatDoNotCount) {
  const auto whole = [](const char* text) { return Network::parse(text)->whole().text(); };
  EXPECT_EQ(whole("10.1.2.3/8"), "10.0.0.0/8");
  EXPECT_EQ(whole("10.1.2.3/31"), "10.1.2.2/31");
  EXPECT_EQ(whole("10.1.2.3"), "10.1.2.3/32");
  EXPECT_EQ(whole("10.1.2.3/0"), "0.0.0.0/0");
  EXPECT_EQ(whole("fdff::1/9"), "fd80::/9");
}

TEST(Network, KnowsMappedAddresses) {
  for (const auto* text : {"::ffff:10.0.0.1", "::ffff:a00:0/104", "::ffff:0:0/96", "::ffff:10.0.0.0/8"})
    EXPECT_TRUE(Network::parse(text)->is_mapped()) << text;
  for (const auto* text : {"10.0.0.1", "::/0", "::fffe:0:0/95", "::1", "fd00::/8"})
    EXPECT_FALSE(Network::parse(text)->is_mapped()) << text;
}

}  // namespace
}  // namespace chancery::base
