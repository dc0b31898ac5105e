#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <map>

#include "clients/ra/ca_host.h"
#include "clients/ra/data_directory.h"
#include "clients/ra/environment.h"
#include "clients/ra/relay.h"
#include "server/base/fd.h"
#include "server/x509/testing.h"

namespace chancery::ra {
namespace {

using Given = std::map<std::string, std::string>;

Result<Environment> read(const Given& given) {
  return read_environment([&](const char* name) {
    const auto found = given.find(name);
    return found == given.end() ? nullptr : found->second.c_str();
  });
}

TEST(Environment, DefaultsAreUpkis) {
  const auto environment = read({{"HOME", "/home/ra"}}).value();
  EXPECT_EQ(environment.data, "/home/ra/.upki/ra");
  EXPECT_EQ(environment.ca.host, "127.0.0.1");
  EXPECT_EQ(environment.ca.port, 5000);
  EXPECT_EQ(environment.address, "127.0.0.1");
  EXPECT_EQ(environment.port, 8000);
  EXPECT_EQ(environment.cn, "RA");
  EXPECT_FALSE(environment.tls);
  EXPECT_TRUE(environment.sans.empty() && environment.seed.empty() && environment.ca.server_key.empty());
  EXPECT_EQ(environment.ca.label(), "default");
}

TEST(Environment, EveryVariableCounts) {
  const auto environment = read({{"UPKI_DATA_DIR", "/data"},
                                 {"UPKI_CA_HOST", "ca.example.com"},
                                 {"UPKI_CA_PORT", "6000"},
                                 {"UPKI_CA_SEED", " seed\n"},
                                 {"UPKI_CA_CURVE_KEY", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"},
                                 {"UPKI_RA_HOST", "::"},
                                 {"UPKI_RA_PORT", "443"},
                                 {"UPKI_RA_CN", "ra1"},
                                 {"UPKI_RA_REALM", "devices"},
                                 {"UPKI_RA_TLS", "True"},
                                 {"UPKI_RA_SANS", "ra1.example.com, 192.0.2.1,,2001:db8::1 ,*.example.com"}})
                               .value();
  EXPECT_EQ(environment.data, "/data");
  EXPECT_EQ(environment.ca.host, "ca.example.com");
  EXPECT_EQ(environment.ca.port, 6000);
  EXPECT_EQ(environment.seed, "seed");
  EXPECT_EQ(environment.ca.server_key, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
  EXPECT_EQ(environment.address, "::");
  EXPECT_EQ(environment.port, 443);
  EXPECT_EQ(environment.cn, "ra1");
  EXPECT_EQ(environment.ca.label(), "devices");
  EXPECT_TRUE(environment.tls);
  EXPECT_EQ(wire::to_text(sans_to_register(environment)),
            R"([{"type":"DNS","value":"ra1.example.com"},{"type":"IP","value":"192.0.2.1"},)"
            R"({"type":"IP","value":"2001:db8::1"},{"type":"DNS","value":"*.example.com"}])");
}

TEST(Environment, EmptyVariablesAreNone) {
  const auto environment = read({{"HOME", "/h"}, {"UPKI_CA_PORT", ""}, {"UPKI_CA_SEED", "  "}, {"UPKI_RA_TLS", ""}}).value();
  EXPECT_EQ(environment.ca.port, 5000);
  EXPECT_TRUE(environment.seed.empty());
}

TEST(Environment, RefusesWhatCannotBe) {
  const std::pair<const char*, const char*> cases[] = {
      {"UPKI_CA_PORT", "0"},          {"UPKI_CA_PORT", "65535"}, {"UPKI_CA_PORT", "5000x"},     {"UPKI_CA_PORT", "-1"},
      {"UPKI_RA_PORT", "65536"},      {"UPKI_RA_PORT", "http"},  {"UPKI_RA_HOST", "localhost"}, {"UPKI_RA_HOST", "10.0.0.0/8"},
      {"UPKI_RA_HOST", "10.0.0.256"}, {"UPKI_RA_TLS", "maybe"},  {"UPKI_RA_REALM", "../x"},     {"UPKI_RA_REALM", "A B"},
      {"UPKI_CA_CURVE_KEY", "short"}};
  for (const auto& [name, text] : cases) {
    const auto environment = read({{"HOME", "/h"}, {name, text}});
    ASSERT_FALSE(environment.ok()) << name << " " << text;
    EXPECT_TRUE(environment.error().message().starts_with(std::string(name) + " or --")) << environment.error().message();
  }
  EXPECT_EQ(read({}).error().code(), Code::NotFound);
}

TEST(Environment, HelpHasEveryVariable) {
  for (const auto& variable : kVariables) EXPECT_NE(describe_variables().find(variable.name), std::string::npos);
}

TEST(CaHost, WithoutCurveThisMachineAlone) {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) EXPECT_TRUE(CaHost::find({.host = host}).ok()) << host;
  for (const char* host :
       {"192.0.2.1", "ca.example.com", "0.0.0.0", "::", "localhost.example.com", "127.0.0.1.example.com", ""}) {
    const auto found = CaHost::find({.host = host});
    ASSERT_FALSE(found.ok()) << host;
    EXPECT_EQ(found.error().code(), Code::BadConfig) << host;
  }
}

TEST(CaHost, RefusesKeysThatAreNone) {
  EXPECT_EQ(CaHost::find({.host = "ca.example.com", .server_key = "short"}).error().code(), Code::BadConfig);
  const std::string good = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
  EXPECT_FALSE(CaHost::find({.host = "ca.example.com", .server_key = good, .key_file = "/nowhere/key"}).ok());
}

/// A port of this machine at which nobody listens.
int free_port() {
  const base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  return ntohs(address.sin_port);
}

TEST(Link, OneThatHadNoAnswerIsGivenUp) {
  const auto host = CaHost::find({.host = "127.0.0.1", .port = free_port()}).value();
  auto link = host.operations().value();
  EXPECT_TRUE(link.is_usable());
  const auto large = Json::object({{"text", std::string(1 << 20, 'x')}});
  EXPECT_EQ(link.ask("get_ca", large, std::chrono::milliseconds{100}).error().code(), Code::TooLarge);
  EXPECT_TRUE(link.is_usable()) << "nothing was sent";
  EXPECT_EQ(link.ask("get_ca", Json::object(), std::chrono::milliseconds{100}).error().code(), Code::Unavailable);
  EXPECT_FALSE(link.is_usable());
  EXPECT_EQ(link.ask("get_ca", Json::object(), std::chrono::milliseconds{100}).error().code(), Code::Closed);
}

TEST(Relay, SaysNoAddressToStrangers) {
  const int port = free_port();
  Relay relay(CaHost::find({.host = "127.0.0.1", .port = port}).value());
  const auto session = relay.open("default").value();
  for (const auto code : {Code::Unavailable, Code::Closed}) {
    const auto answer = session->call("ca.get", Json::object(), "http:192.0.2.1");
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code(), code);
    EXPECT_EQ(answer.error().message(), "the CA cannot be reached");
    EXPECT_EQ(base::to_line(answer.error()).find("127.0.0.1"), std::string::npos);
  }
  EXPECT_FALSE(session->connected());
}

TEST(Relay, HasOneRealm) {
  Relay relay(CaHost::find({.host = "127.0.0.1", .realm = "devices"}).value());
  EXPECT_EQ(relay.open("default").error().code(), Code::NotFound);
  EXPECT_EQ(relay.open("").error().code(), Code::NotFound);
}

TEST(Registered, RefusesAnswersThatCannotBeUsed) {
  const auto certificate = x509::testing::ca().pem();
  const Json good = Json::object({{"certificate", certificate}, {"private_key", "KEY"}, {"ca_certificate", certificate}});
  const std::pair<const char*, const char*> cases[] = {
      {"certificate", "found"}, {"private_key", "x"}, {"ca_certificate", "y"}, {"certificate", ""}, {"ca_certificate", ""},
  };
  for (const auto& [member, text] : cases) EXPECT_FALSE(Registered::read(Json(good).set(member, text)).ok()) << member;
  EXPECT_FALSE(Registered::read(Json()).ok());
  EXPECT_FALSE(Registered::read(Json::array()).ok());
}

}  // namespace
}  // namespace chancery::ra
