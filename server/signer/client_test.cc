#include "server/signer/client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <functional>
#include <thread>

#include "server/signer/testing.h"
#include "server/wire/message.h"

namespace chancery::signer {
namespace {

constexpr std::chrono::milliseconds kPatient{60000};
constexpr std::chrono::milliseconds kHasty{20};

/// A signer with one conversation, of which the test says what becomes.
class Odd {
 public:
  using Answer = std::function<void(int socket, const wire::Request& request)>;

  explicit Odd(const Answer& answer) : socket_((directory_.path / "signer").string()) {
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::thread([this, answer] { converse(answer); });
  }
  Odd(const Odd&) = delete;
  Odd& operator=(const Odd&) = delete;
  ~Odd() { thread_.join(); }

  Result<SignerClient> connect(std::chrono::milliseconds limit) const {
    return SignerClient::connect(socket_, base::as_bytes("pass"), limit);
  }

 private:
  void converse(const Answer& answer) const {
    const base::UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    wire::LineReader reader(peer.get(), wire::kMaxReplyBytes);
    EXPECT_EQ(reader.next(kPatient).value(), "pass");
    for (auto line = reader.next(kPatient); line.ok(); line = reader.next(kPatient)) {
      answer(peer.get(), wire::decode_request(*line).value());
    }
  }

  TestDirectory directory_;
  std::string socket_;
  base::UniqueFd listener_;
  std::thread thread_;
};

void say(int socket, const std::string& line) { EXPECT_TRUE(wire::write_line(socket, line, kPatient).ok()); }

/// The first call fails with that code, and ends the connection.
void expect_end(const Odd& signer, Code code, std::chrono::milliseconds limit = kPatient) {
  auto client = signer.connect(limit);
  ASSERT_TRUE(client.ok());
  EXPECT_TRUE(client->is_open());
  EXPECT_EQ(client->ping().error().code(), code);
  EXPECT_FALSE(client->is_open());
  EXPECT_EQ(client->audit_verify().error().code(), Code::Closed) << "no answer of another call is taken for this one's";
}

TEST(SignerClient, F8_AnAnswerThatDoesNotComeInTimeEndsTheConnection) {
  expect_end(Odd([](int, const wire::Request&) {}), Code::Timeout, kHasty);
}

TEST(SignerClient, AnAnswerToAnotherCallEndsTheConnection) {
  expect_end(Odd([](int socket, const wire::Request&) { say(socket, wire::encode_result(Json(0), Json::object())); }),
             Code::Malformed);
}

TEST(SignerClient, ARefusalOfAnotherCallIsNotThisOnes) {
  expect_end(Odd([](int socket, const wire::Request&) { say(socket, wire::encode_error(Json(0), Error(Code::Denied, "no"))); }),
             Code::Malformed);
}

TEST(SignerClient, WhatIsNoAnswerEndsTheConnection) {
  expect_end(Odd([](int socket, const wire::Request&) { say(socket, "{}"); }), Code::Malformed);
}

TEST(SignerClient, AHalfAnswerEndsTheConnection) {
  expect_end(Odd([](int socket, const wire::Request&) {
               EXPECT_EQ(::send(socket, "{\"js", 5, MSG_NOSIGNAL), 5);
               ::shutdown(socket, SHUT_RDWR);
             }),
             Code::Malformed);
}

TEST(SignerClient, ASignerThatHangsUpEndsTheConnection) {
  expect_end(Odd([](int socket, const wire::Request&) { ::shutdown(socket, SHUT_RDWR); }), Code::Closed);
}

TEST(SignerClient, ARefusalLeavesTheConnectionOpen) {
  const Odd signer([](int socket, const wire::Request& request) {
    say(socket, request.method == "ping" ? wire::encode_error(request.id, Error(Code::Denied, "not this"))
                                         : wire::encode_result(request.id, Json::object()));
  });
  auto client = signer.connect(kPatient);
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(client->ping().error().code(), Code::Denied);
  EXPECT_TRUE(client->is_open());
  EXPECT_TRUE(client->audit_verify().ok());
}

}  // namespace
}  // namespace chancery::signer
