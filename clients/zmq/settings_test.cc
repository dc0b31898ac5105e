#include "clients/zmq/settings.h"

#include <gtest/gtest.h>

#include "clients/zmq/backend.h"

namespace chancery::zmq_gateway {
namespace {

Result<Settings> read_one(const std::string& endpoint) {
  return read_settings(wire::parse_json(R"({"socket":"/run/x","front_end":"zmq","endpoints":[)" + endpoint + "]}").value());
}

TEST(Settings, AnEndpointAsTheServerTellsIt) {
  const auto read =
      read_one(R"({"address":"0.0.0.0","port":5000,"realm":"default","wrong_seeds_per_minute":3,"server_key_file":"/etc/key",)"
               R"("without_curve":"nobody","attests_loopback":true,"peer_keys":["a","b"]})");
  ASSERT_TRUE(read.ok());
  const auto& one = read->endpoints.at(0);
  EXPECT_EQ(one.text(), "0.0.0.0:5000");
  EXPECT_EQ(one.realm, "default");
  EXPECT_EQ(one.wrong_seeds_per_minute, 3);
  EXPECT_EQ(one.server_key_file, "/etc/key");
  EXPECT_EQ(one.without_curve, WithoutCurve::Nobody);
  EXPECT_TRUE(one.attests_loopback);
  EXPECT_EQ(one.peer_keys, (std::vector<std::string>{"a", "b"}));
}

struct Case {
  const char* name;
  const char* endpoint;
};

TEST(Settings, C22_EndpointsThatLetInWhoShouldNotComeAreRefused) {
  const Case cases[] = {
      {"elsewhere without a key", R"({"address":"0.0.0.0","port":5000,"realm":"x"})"},
      {"elsewhere, IPv6", R"({"address":"::","port":5000,"realm":"x"})"},
      {"nobody without a key", R"({"address":"127.0.0.1","port":5000,"realm":"x","without_curve":"nobody"})"},
      {"another word", R"({"address":"127.0.0.1","port":5000,"realm":"x","without_curve":"some"})"},
      {"fewer than no wrong seeds", R"({"address":"127.0.0.1","port":5000,"realm":"x","wrong_seeds_per_minute":-1})"},
  };
  for (const auto& one : cases) {
    const auto read = read_one(one.endpoint);
    ASSERT_FALSE(read.ok()) << one.name;
    EXPECT_EQ(read.error().code(), Code::BadConfig) << one.name;
  }
  EXPECT_TRUE(read_one(R"({"address":"::1","port":5000,"realm":"x"})").ok());
  EXPECT_TRUE(read_one(R"({"address":"0.0.0.0","port":5000,"realm":"x","without_curve":"anyone"})").ok());
}

TEST(Evidence, IsWhatThePeerHasShown) {
  Endpoint endpoint{.address = "127.0.0.1", .port = 5000, .realm = "default"};
  const auto anybody = Json::object({{"evidence", "anybody"}});
  EXPECT_EQ(evidence_for(endpoint, "127.0.0.1"), anybody);
  EXPECT_EQ(evidence_for(endpoint, ""), anybody);
  endpoint.attests_loopback = true;
  EXPECT_EQ(evidence_for(endpoint, "127.0.0.1"), Json::object({{"evidence", "loopback"}, {"endpoint", "127.0.0.1:5000"}}));
  EXPECT_EQ(evidence_for(endpoint, "10.0.0.1"), anybody);
  EXPECT_EQ(evidence_for(endpoint, "curve:KEY"), Json::object({{"evidence", "curve_key"}, {"curve_key", "KEY"}}));
}

}  // namespace
}  // namespace chancery::zmq_gateway
