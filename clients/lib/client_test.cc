#include "clients/lib/client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "clients/lib/calls.h"
#include "clients/lib/repeat.h"

namespace chancery::client {
namespace {

using std::chrono::milliseconds;
using wire::Request;

/// What the server says to one request; an empty text: nothing, and the connection ends.
using Answer = std::function<std::string(const Request&)>;

std::string echo(const Request& request) { return wire::encode_result(request.id, request.params) + "\n"; }
std::string hang_up(const Request&) { return {}; }
Answer gives(Json result) {
  return [result](const Request& request) { return wire::encode_result(request.id, result) + "\n"; };
}
Answer fails(Code code) {
  return [code](const Request& request) { return wire::encode_error(request.id, Error(code, "no", "why")) + "\n"; };
}

/// What a session that ends says last, to whoever it is that asks.
std::string says_last(const Request&) {
  return wire::encode_error(Json(), Error(Code::Timeout, "no longer in force", std::string(wire::kConnectAgain))) + "\n";
}

/// Takes one connection after the other; each is served by its own list of answers and then ended.
class FakeServer {
 public:
  explicit FakeServer(std::vector<std::vector<Answer>> connections)
      : directory_(::mkdtemp(name_.data())), listener_(base::listen_unix(path(), 0600, 8).value()) {
    thread_ = std::thread([this, connections = std::move(connections)] {
      for (const auto& answers : connections) serve(answers);
    });
  }
  ~FakeServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    std::filesystem::remove_all(directory_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string path() const { return directory_ / "socket"; }
  Client client(milliseconds reconnect_for = milliseconds(5000)) const {
    return Client::connect({.socket = path(), .request_timeout = milliseconds(60000), .reconnect_for = reconnect_for}).value();
  }
  /// The commands that arrived, by name.
  std::vector<std::string> seen() {
    const std::lock_guard hold(mutex_);
    return seen_;
  }

 private:
  void serve(const std::vector<Answer>& answers) {
    const base::UniqueFd peer(::accept(listener_.get(), nullptr, nullptr));
    if (!peer) return;
    wire::LineReader reader(peer.get(), wire::kMaxLineBytes);
    for (const auto& answer : answers) {
      const auto line = reader.next(milliseconds(60000));
      if (!line.ok()) return;
      const auto request = wire::decode_request(*line).value();
      {
        const std::lock_guard hold(mutex_);
        seen_.push_back(request.method);
      }
      const auto text = answer(request);
      if (text.empty() || !base::write_all(peer.get(), base::as_bytes(text)).ok()) return;
    }
  }

  std::string name_ = (std::filesystem::temp_directory_path() / "client-XXXXXX").string();
  std::filesystem::path directory_;
  base::UniqueFd listener_;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<std::string> seen_;
};

using Names = std::vector<std::string>;

TEST(Client, GivesTheServersErrorAndGoesOn) {
  FakeServer server({{fails(Code::NotFound), echo}});
  auto client = server.client();
  const auto got = client.call("node.get");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), Code::NotFound);
  EXPECT_EQ(got.error().message(), "no");
  EXPECT_EQ(got.error().hint(), "why");
  EXPECT_TRUE(client.connected());
  EXPECT_TRUE(client.call("server.ping").ok());
}

TEST(Client, WithoutReconnectForRefusesAfterTheEnd) {
  FakeServer server({{hang_up}, {echo}});
  auto client = server.client(milliseconds(0));
  EXPECT_EQ(client.call("server.ping").error().code(), Code::Closed);
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(client.call("server.ping").error().code(), Code::Closed);
  EXPECT_TRUE(client.reconnect().ok()) << "but one may ask for it";
  EXPECT_TRUE(client.call("server.ping").ok());
}

TEST(Client, RepeatsWhatReadsInASessionAsBefore) {
  FakeServer server({{echo, hang_up}, {echo, gives(Json::object({{"cn", "a"}}))}});
  auto client = server.client();
  ASSERT_TRUE(client.open("devices", "http").ok());
  EXPECT_EQ(calls::node_get(client, {.cn = "a"}).value().text("cn"), "a");
  EXPECT_EQ(server.seen(), (Names{"session.open", "node.get", "session.open", "node.get"}));
}

TEST(Client, ToARealmLastsThroughSessionsThatEndUnread) {
  FakeServer server({{says_last}, {says_last}, {echo, echo}});
  auto client = Client::connect_to_realm({.socket = server.path()}, "devices", "http");
  ASSERT_TRUE(client.ok()) << base::to_line(client.error());
  EXPECT_TRUE(client->call("server.ping").ok());
  EXPECT_EQ(server.seen(), (Names{"session.open", "session.open", "session.open", "server.ping"}));
}

TEST(Client, ToARealmGivesUpWhatIsRefusedOrCutOff) {
  FakeServer server({{fails(Code::NotFound)}, {hang_up}});
  EXPECT_EQ(Client::connect_to_realm({.socket = server.path()}, "other").error().code(), Code::NotFound);
  EXPECT_EQ(Client::connect_to_realm({.socket = server.path()}, "other").error().code(), Code::Closed);
  EXPECT_EQ(server.seen(), (Names{"session.open", "session.open"}));
}

TEST(Client, ToARealmEndsAfterMostSessions) {
  FakeServer server(std::vector<std::vector<Answer>>(kMostSessions + 1, {says_last}));
  const auto client = Client::connect_to_realm({.socket = server.path()}, "devices");
  ASSERT_FALSE(client.ok());
  EXPECT_TRUE(says_connect_again(client.error()));
  EXPECT_EQ(server.seen().size(), static_cast<std::size_t>(kMostSessions));
}

TEST(Client, RepeatsAnIssuanceWithItsKeyAlone) {
  for (const bool has_key : {true, false}) {
    FakeServer server({{hang_up}, {echo}});
    auto client = server.client();
    calls::CertificateIssue request{.csr = "pem"};
    if (has_key) request.idempotency_key = "order-1";
    const auto got = calls::certificate_issue(client, request);
    EXPECT_EQ(got.ok() ? Code::NotFound : got.error().code(), has_key ? Code::NotFound : Code::Closed);
    EXPECT_EQ(server.seen().size(), has_key ? 2U : 1U);
  }
}

TEST(Client, SendsWhatActsOverANewConnectionWhenTheOldOneHadEndedBefore) {
  FakeServer server({{echo}, {echo}});
  auto client = server.client();
  ASSERT_TRUE(client.call("server.ping").ok());
  std::array<char, 1> octet{};
  ASSERT_EQ(::recv(client.fd(), octet.data(), octet.size(), MSG_PEEK), 0) << "the end is here";
  EXPECT_TRUE(calls::certificate_revoke(client, {.serial = "01"}).ok());
  EXPECT_EQ(server.seen(), (Names{"server.ping", "certificate.revoke"}));
}

TEST(Client, RepeatsOnce) {
  FakeServer server({{hang_up}, {hang_up}, {echo}});
  auto client = server.client();
  EXPECT_EQ(client.call("ca.get").error().code(), Code::Closed);
  EXPECT_EQ(server.seen().size(), 2U);
}

TEST(Client, TriesAgainWhileTheServerIsNotReady) {
  FakeServer server({{echo, hang_up}, {fails(Code::Unavailable)}, {hang_up}, {echo, echo}});
  auto client = server.client();
  ASSERT_TRUE(client.open().ok());
  EXPECT_TRUE(client.call("ca.get").ok());
  EXPECT_EQ(server.seen().size(), 6U);
}

TEST(Client, GivesUpWhenTheNewSessionIsRefused) {
  FakeServer server({{echo, hang_up}, {fails(Code::Denied), echo}});
  auto client = server.client();
  ASSERT_TRUE(client.open().ok());
  EXPECT_EQ(client.call("ca.get").error().code(), Code::Denied);
  EXPECT_FALSE(client.connected());
}

TEST(Client, GivesUpWhenItsTimeIsOver) {
  auto server = std::make_unique<FakeServer>(std::vector<std::vector<Answer>>{{}});
  auto client = server->client(milliseconds(100));
  server.reset();
  EXPECT_EQ(client.call("ca.get").error().code(), Code::Unavailable);
}

TEST(Client, DoesNotRepeatWhatTimedOut) {
  std::promise<void> over;
  FakeServer server({{[&over](const Request& request) { return over.get_future().wait(), echo(request); }}, {echo}});
  auto client = server.client();
  client.set_request_timeout(milliseconds(50));
  EXPECT_EQ(client.call("ca.get").error().code(), Code::Timeout);
  over.set_value();
  // Whoever connects now is the next: another connection of the first client's would be in between.
  EXPECT_TRUE(server.client().call("server.ping").ok());
  EXPECT_EQ(server.seen(), (Names{"ca.get", "server.ping"}));
}

TEST(Client, DoesNotOpenASessionAnewThatHadLoggedInOrClosed) {
  for (const auto* last : {"session.login", "session.close"}) {
    FakeServer server({{echo, echo, hang_up}, {echo, echo}});
    auto client = server.client();
    ASSERT_TRUE(client.open().ok());
    ASSERT_TRUE(client.call(last).ok());
    EXPECT_EQ(client.call("ca.get").error().code(), Code::Closed) << last;
    EXPECT_EQ(client.reconnect().error().code(), Code::Closed) << last;
  }
}

TEST(Client, RefusesAnswersThatAreNone) {
  const std::map<std::string, std::string> lines = {{"garbage", "garbage\n"},
                                                    {"an array", "[]\n"},
                                                    {"another id", R"({"jsonrpc":"2.0","id":99,"result":{}})"
                                                                   "\n"},
                                                    {"no result", R"({"jsonrpc":"2.0","id":1})"
                                                                  "\n"},
                                                    {"half a line", R"({"jsonrpc")"}};
  for (const auto& [name, line] : lines) {
    FakeServer server({{[line = line](const Request&) { return line; }}, {echo}});
    auto client = server.client();
    EXPECT_EQ(client.call("ca.get").error().code(), Code::Malformed) << name;
    EXPECT_FALSE(client.connected()) << name;
  }
}

// ----- what may be sent twice

TEST(Repeat, EveryCommandIsDecidedUpon) {
  const Names acting = {"acme.account.create",
                        "acme.account.policy",
                        "acme.account.rekey",
                        "acme.account.sync",
                        "acme.account.update",
                        "acme.authorization.create",
                        "acme.authorization.deactivate",
                        "acme.authorization.sync",
                        "acme.block",
                        "acme.caa.finish",
                        "acme.certificate.revoke",
                        "acme.challenge.begin",
                        "acme.challenge.finish",
                        "acme.deactivate",
                        "acme.eab.create",
                        "acme.eab.delete",
                        "acme.order.create",
                        "acme.order.finalize",
                        "acme.order.sync",
                        "acme.unblock",
                        "admin.add",
                        "admin.remove",
                        "audit.nightly",
                        "audit.self",
                        "ca.import",
                        "ca.rollover.abort",
                        "ca.rollover.advance",
                        "ca.rollover.publish",
                        "ca.rollover.resume",
                        "ca.rollover.retire",
                        "ca.rollover.start",
                        "ca.rollover.switch",
                        "ca.service.renew",
                        "certificate.enrol",
                        "certificate.generate",
                        "certificate.issue",
                        "certificate.renew",
                        "certificate.revoke",
                        "certificate.revoke_many",
                        "certificate.unrevoke",
                        "crl.issue",
                        "identity.create",
                        "identity.delete",
                        "identity.disable",
                        "identity.enable",
                        "identity.password",
                        "identity.roles",
                        "listener.certify",
                        "node.announce",
                        "node.delete",
                        "node.register",
                        "notice.claim",
                        "notice.finish",
                        "own.certificate.renew",
                        "own.certificate.revoke",
                        "ra.open",
                        "ra.sign",
                        "realm.reconcile",
                        "realm.repair",
                        "request.approve",
                        "request.comment",
                        "request.create",
                        "request.pickup",
                        "request.reject",
                        "request.retry",
                        "request.withdraw",
                        "secret.clear",
                        "secret.enter",
                        "seed.create",
                        "seed.revoke",
                        "server.log_level",
                        "session.attest",
                        "session.close",
                        "session.login",
                        "session.open",
                        "token.create",
                        "token.revoke"};
  Names found;
  for (const auto& command : wire::commands())
    if (!is_repeatable(command.name, Json::object())) found.emplace_back(command.name);
  EXPECT_EQ(found, acting) << "a new command either reads (commands.def) or is listed here";
  for (const auto& command : wire::commands())
    EXPECT_EQ(is_repeatable(command.name, Json::object()), command.effect == wire::Effect::Reads) << command.name;
}

TEST(Repeat, AKeyMakesIssuingRepeatableAndNothingElse) {
  const auto keyed = Json::object({{"idempotency_key", "k"}});
  EXPECT_TRUE(is_repeatable("certificate.issue", keyed));
  EXPECT_TRUE(is_repeatable("certificate.renew", keyed));
  for (const auto* name : {"certificate.generate", "certificate.revoke", "no.such", ""}) EXPECT_FALSE(is_repeatable(name, keyed));
  for (auto none : {Json(""), Json(7), Json()})
    EXPECT_FALSE(is_repeatable("certificate.issue", Json::object({{"idempotency_key", none}})));
  EXPECT_FALSE(is_repeatable("certificate.issue", Json()));
}

// ----- rows

Json page(std::initializer_list<Json> rows, const char* next) {
  auto answer = Json::object({{"nodes", Json(Json::Array(rows))}});
  if (next != nullptr) answer.set("next", next);
  return answer;
}

std::vector<std::string> names_of(Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.text("cn"));
  return names;
}

Json node(const char* cn) { return Json::object({{"cn", cn}}); }

TEST(Rows, WalkOverAllPages) {
  FakeServer server({{gives(page({node("a"), node("b")}, "k")), gives(page({}, "l")), [](const Request& request) {
                        return gives(page({node(request.params.text("after").c_str())}, nullptr))(request);
                      }}});
  auto client = server.client();
  auto rows = calls::nodes(client, {.limit = 2});
  EXPECT_TRUE(server.seen().empty()) << "nothing is asked before the walk";
  EXPECT_EQ(names_of(rows), (Names{"a", "b", "l"}));
  EXPECT_TRUE(rows.status().ok());
  EXPECT_EQ(names_of(rows), Names{}) << "one walk";
}

TEST(Rows, GoOnOverARestart) {
  FakeServer server({{echo, gives(page({node("a")}, "k"))}, {echo, gives(page({node("b")}, nullptr))}});
  auto client = server.client();
  ASSERT_TRUE(client.open().ok());
  auto rows = calls::nodes(client);
  EXPECT_EQ(names_of(rows), (Names{"a", "b"}));
  EXPECT_TRUE(rows.status().ok());
}

TEST(Rows, EndAtAnErrorAndSayIt) {
  const std::map<std::string, std::pair<Answer, Code>> cases = {
      {"refused", {fails(Code::Denied), Code::Denied}},
      {"no rows", {gives(Json::object()), Code::Malformed}},
      {"no list", {gives(Json::object({{"nodes", 7}})), Code::Malformed}},
      {"the same page", {gives(page({node("b")}, "k")), Code::Malformed}},
  };
  for (const auto& [name, one] : cases) {
    FakeServer server({{gives(page({node("a")}, "k")), one.first}});
    auto client = server.client();
    auto rows = calls::nodes(client);
    EXPECT_EQ(names_of(rows), Names{"a"}) << name;
    ASSERT_FALSE(rows.status().ok()) << name;
    EXPECT_EQ(rows.status().error().code(), one.second) << name;
  }
}

TEST(Rows, CommandsThatPageHaveThem) {
  std::map<std::string_view, std::string_view> found;
  for (const auto& command : wire::commands())
    if (!paged_member(command).empty()) found[command.name] = paged_member(command);
  EXPECT_EQ(found, (std::map<std::string_view, std::string_view>{{"acme.account.list", "accounts"},
                                                                 {"acme.accounts", "accounts"},
                                                                 {"acme.authorizations", "authorizations"},
                                                                 {"acme.eab.list", "keys"},
                                                                 {"acme.order.list", "orders"},
                                                                 {"acme.orders", "orders"},
                                                                 {"audit.list", "records"},
                                                                 {"audit.self", "findings"},
                                                                 {"certificate.search", "certificates"},
                                                                 {"identity.list", "identities"},
                                                                 {"node.list", "nodes"},
                                                                 {"notice.list", "notices"},
                                                                 {"policy.refused", "refused"},
                                                                 {"request.list", "requests"},
                                                                 {"seed.list", "seeds"},
                                                                 {"token.list", "tokens"}}));
}

}  // namespace
}  // namespace chancery::client
