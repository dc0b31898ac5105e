#include "clients/zmq/zmtp.h"

#include <gtest/gtest.h>

#include <string>

namespace chancery::zmq_gateway {
namespace {

using namespace std::string_literals;

std::string greeting(std::uint8_t major = 3, std::string mechanism = "NULL") {
  std::string text(1, '\xff');
  text += std::string(8, '\0') + '\x7f' + static_cast<char>(major) + '\1';
  mechanism.resize(20, '\0');
  return text + mechanism + std::string(32, '\0');
}

std::string frame(std::uint8_t flags, const std::string& body) {
  return std::string{static_cast<char>(flags), static_cast<char>(body.size())} + body;
}

std::string long_head(std::uint8_t flags, std::uint64_t size) {
  std::string text(1, static_cast<char>(flags));
  for (int shift = 56; shift >= 0; shift -= 8) text.push_back(static_cast<char>(size >> shift));
  return text;
}

const std::string kReady = frame(4, "\5READY\13Socket-Type\0\0\0\3REQ"s);
const std::string kDelimiter = frame(1, "");
const std::string kRequest = kDelimiter + frame(0, R"({"TASK":"get_ca"})");

struct Taken {
  Code error = Code::Internal;
  bool ok = true;
  std::size_t messages = 0;
};

/// The whole text in pieces of `step` octets.
Taken take(const std::string& text, std::size_t step) {
  Scanner scanner;
  Taken taken;
  for (std::size_t at = 0; at < text.size(); at += step) {
    for (std::string_view piece = std::string_view(text).substr(at, step); !piece.empty();) {
      const auto got = scanner.take(piece);
      if (!got.ok()) return {got.error().code(), false, taken.messages};
      piece.remove_prefix(got->used);
      if (got->message_is_over) ++taken.messages;
    }
  }
  return taken;
}

TEST(Zmtp, ARequestIsSeenInPiecesOfAnySize) {
  const auto text = greeting() + kReady + kRequest + kRequest;
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{64}, text.size()}) {
    const auto taken = take(text, step);
    EXPECT_TRUE(taken.ok) << step;
    EXPECT_EQ(taken.messages, 2U) << step;
  }
}

TEST(Zmtp, NothingBehindTheEndOfAMessageIsTaken) {
  Scanner scanner;
  const auto text = greeting() + kReady + kRequest + kRequest;
  const auto step = scanner.take(text);
  ASSERT_TRUE(step.ok());
  EXPECT_TRUE(step->message_is_over);
  EXPECT_EQ(step->used, text.size() - kRequest.size());
  EXPECT_FALSE(scanner.is_inside());
}

TEST(Zmtp, WhatIsBegunIsInside) {
  Scanner scanner;
  EXPECT_TRUE(scanner.is_inside());
  ASSERT_TRUE(scanner.take(greeting() + kReady).ok());
  EXPECT_FALSE(scanner.is_inside());
  ASSERT_TRUE(scanner.take(kDelimiter).ok());
  EXPECT_TRUE(scanner.is_inside());
}

TEST(Zmtp, TheSignatureIsKnownEarly) {
  Scanner scanner;
  ASSERT_TRUE(scanner.take(greeting().substr(0, 9)).ok());
  EXPECT_FALSE(scanner.has_signature());
  ASSERT_TRUE(scanner.take(greeting().substr(9, 1)).ok());
  EXPECT_TRUE(scanner.has_signature());
  EXPECT_FALSE(scanner.has_greeted());
}

struct Case {
  const char* name;
  std::string text;
  Code want;
};

std::string many_parts(int count) {
  std::string text = greeting() + kReady + kDelimiter;
  for (int i = 1; i < count; ++i) text += frame(1, "x");
  return text;
}

TEST(Zmtp, F29_RefusesWhatIsNoRequest) {
  const Case cases[] = {
      {"HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", Code::Malformed},
      {"TLS", "\x16\x03\x01\x02" + std::string(60, '\0'), Code::Malformed},
      {"zeros", std::string(64, '\0'), Code::Malformed},
      {"all ones", std::string(64, '\xff'), Code::Malformed},
      {"ZMTP 1", std::string("\1\0", 2) + "hello", Code::Malformed},
      {"ZMTP 2", greeting(1), Code::Malformed},
      {"CURVE", greeting(3, "CURVE"), Code::Malformed},
      {"PLAIN", greeting(3, "PLAIN"), Code::Malformed},
      {"mechanism NULLS", greeting(3, "NULLS"), Code::Malformed},
      {"reserved flags", greeting() + frame(8, "x"), Code::Malformed},
      {"command with more", greeting() + frame(5, "x"), Code::Malformed},
      {"command in a message", greeting() + kReady + kDelimiter + frame(4, "\4PING"), Code::Malformed},
      {"no delimiter", greeting() + kReady + frame(0, "{}"), Code::Malformed},
      {"delimiter last", greeting() + kReady + frame(1, "x") + frame(0, ""), Code::Malformed},
      {"READY of 64 kB", greeting() + long_head(6, 65536), Code::TooLarge},
      {"one frame above 1 MB", greeting() + kReady + kDelimiter + long_head(2, (1 << 20) + 1), Code::TooLarge},
      {"a frame of 2^63", greeting() + kReady + kDelimiter + long_head(2, std::uint64_t{1} << 63), Code::TooLarge},
      {"a frame of 2^64 - 1", greeting() + kReady + kDelimiter + long_head(2, ~std::uint64_t{0}), Code::TooLarge},
      {"parts above 1 MB together",
       greeting() + kReady + kDelimiter + long_head(3, 1 << 19) + std::string(1 << 19, 'x') + long_head(3, (1 << 19) + 1),
       Code::TooLarge},
      {"17 parts", many_parts(17), Code::TooLarge},
      {"10,000 parts", many_parts(10'000), Code::TooLarge},
  };
  for (const auto& one : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{4096}}) {
      const auto taken = take(one.text, step);
      EXPECT_FALSE(taken.ok) << one.name;
      EXPECT_EQ(taken.error, one.want) << one.name;
      EXPECT_EQ(taken.messages, 0U) << one.name;
    }
  }
}

TEST(Zmtp, D11_WhatKeepsTheLimitsPasses) {
  EXPECT_TRUE(take(many_parts(16), 4096).ok);
  const std::string body(1 << 20, 'x');
  const auto taken = take(greeting() + kReady + kDelimiter + long_head(2, body.size()) + body, 65536);
  EXPECT_TRUE(taken.ok);
  EXPECT_EQ(taken.messages, 1U);
  EXPECT_TRUE(take(greeting() + kReady + frame(4, "\4PING") + kRequest, 7).ok);
}

TEST(Zmtp, OurOwnAnswersMayBeLonger) {
  Scanner scanner(std::uint64_t{1} << 40);
  EXPECT_TRUE(scanner.take(greeting() + kReady + kDelimiter + long_head(2, 1 << 24)).ok());
}

}  // namespace
}  // namespace chancery::zmq_gateway
