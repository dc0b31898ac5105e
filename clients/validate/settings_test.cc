#include "clients/validate/settings.h"

#include <gtest/gtest.h>

namespace chancery::validate {
namespace {

const std::string kKey = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
const std::string kOther = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

TEST(Settings, AddressesToListenAt) {
  const auto v4 = read_endpoint("tcp://192.0.2.1:5010");
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->address + " " + std::to_string(v4->port), "192.0.2.1 5010");
  const auto v6 = read_endpoint("tcp://[2001:db8::1]:65535");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->address + " " + std::to_string(v6->port), "2001:db8::1 65535");
  for (const auto* bad : {"", "tcp://", "192.0.2.1:5010", "tcp://192.0.2.1", "tcp://192.0.2.1:", "tcp://192.0.2.1:0",
                          "tcp://192.0.2.1:65536", "tcp://192.0.2.1:5010x", "tcp://::1:5010", "tcp://[192.0.2.1]:5010",
                          "tcp://*:5010", "tcp://host:5010", "ipc://x:1", "tcp://[::1:5010", "udp://[::1]:5010"}) {
    const auto got = read_endpoint(bad);
    ASSERT_FALSE(got.ok()) << bad;
    EXPECT_EQ(got.error().code(), Code::InvalidParams);
  }
}

TEST(Settings, Resolvers) {
  for (const auto* good : {"127.0.0.1:53", "[::1]:53"}) EXPECT_TRUE(check_resolver(good).ok()) << good;
  for (const auto* bad : {"127.0.0.1", "dns.example:53", "tcp://127.0.0.1:53", "::1:53", "127.0.0.1:53 "})
    EXPECT_FALSE(check_resolver(bad).ok()) << bad;
}

TEST(Settings, WhoMayAsk) {
  const auto keys = read_clients("# front ends\n\n" + kKey + "\r\n  " + kOther + "\n#\n", "clients");
  ASSERT_TRUE(keys.ok()) << keys.error().message();
  EXPECT_EQ(*keys, (std::vector<std::string>{kKey, kOther}));
}

TEST(Settings, WhoMayAskIsSaidWithoutMistakes) {
  const struct {
    std::string text;
    std::string want;
  } cases[] = {
      {"", "clients:1: found no key"},
      {"# nobody\n", "clients:2: found no key"},
      {kKey + "\n" + kKey + "\n", "clients:2: found the key a second time"},
      {kKey + "\nsecret\n", "clients:2: found \"secret\", expected a public CURVE key"},
      {kKey + " name\n", "clients:1: found \"" + kKey + " name\""},
      {"#" + kKey + "\n", "clients:1: found \"#" + kKey + "\""},
  };
  for (const auto& one : cases) {
    const auto got = read_clients(one.text, "clients");
    ASSERT_FALSE(got.ok()) << one.text;
    EXPECT_EQ(got.error().code(), Code::BadConfig);
    EXPECT_TRUE(got.error().message().starts_with(one.want)) << got.error().message();
  }
}

TEST(Settings, NobodyAsksFromAFileThatIsNotThere) { EXPECT_FALSE(load_clients("/nonexistent/clients").ok()); }

}  // namespace
}  // namespace chancery::validate
