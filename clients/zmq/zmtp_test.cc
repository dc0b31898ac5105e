#include "clients/zmq/zmtp.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "clients/zmq/curve.h"
#include "clients/zmq/greeting.h"

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
  std::string passed;
  std::vector<Code> refusals;
  std::string answer;  ///< to the last of them
};

/// The whole text in pieces of `step` octets.
Taken take(const std::string& text, std::size_t step, Scanner scanner = Scanner()) {
  Taken taken;
  for (std::size_t at = 0; at < text.size(); at += step) {
    for (std::string_view piece = std::string_view(text).substr(at, step); !piece.empty();) {
      const auto got = scanner.take(piece, taken.passed);
      if (!got.ok()) {
        taken.error = got.error().code();
        taken.ok = false;
        return taken;
      }
      piece.remove_prefix(got->used);
      if (got->message_is_over) ++taken.messages;
      if (!got->refusal) continue;
      taken.refusals.push_back(got->refusal->code());
      taken.answer = scanner.to_answer("no");
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
    EXPECT_EQ(taken.passed, text) << step;
  }
}

TEST(Zmtp, NothingBehindTheEndOfAMessageIsTaken) {
  Scanner scanner;
  const auto text = greeting() + kReady + kRequest + kRequest;
  std::string passed;
  const auto step = scanner.take(text, passed);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(passed, text.substr(0, step->used));
  EXPECT_TRUE(step->message_is_over);
  EXPECT_EQ(step->used, text.size() - kRequest.size());
  EXPECT_FALSE(scanner.is_inside());
}

TEST(Zmtp, WhatIsBegunIsInside) {
  Scanner scanner;
  std::string passed;
  EXPECT_TRUE(scanner.is_inside());
  ASSERT_TRUE(scanner.take(greeting() + kReady, passed).ok());
  EXPECT_FALSE(scanner.is_inside());
  ASSERT_TRUE(scanner.take(kDelimiter.substr(0, 1), passed).ok());
  EXPECT_TRUE(scanner.is_inside());
  ASSERT_TRUE(scanner.take(kDelimiter.substr(1), passed).ok());
  EXPECT_TRUE(scanner.is_inside());
}

TEST(Greeting, TheSignatureIsKnownEarly) {
  Greeting one;
  ASSERT_EQ(one.take(greeting().substr(0, 9)).value(), 9U);
  EXPECT_FALSE(one.has_signature());
  ASSERT_EQ(one.take(greeting().substr(9, 1)).value(), 1U);
  EXPECT_TRUE(one.has_signature());
  EXPECT_FALSE(one.is_over());
}

TEST(Greeting, SaysItsMechanismAndTakesNoMore) {
  for (const auto mechanism : {kNull, kCurve}) {
    Greeting one;
    EXPECT_EQ(one.take(greeting(3, std::string(mechanism)) + "more").value(), Greeting::kBytes);
    EXPECT_TRUE(one.is_over());
    EXPECT_EQ(one.mechanism(), mechanism);
    Greeting ours;
    EXPECT_EQ(ours.take(make_greeting(mechanism)).value(), Greeting::kBytes);
    EXPECT_EQ(ours.mechanism(), mechanism);
  }
  EXPECT_EQ(make_greeting(kNull).substr(0, kOpeningBytes), make_greeting(kCurve).substr(0, kOpeningBytes));
}

TEST(Greeting, RefusesWhatIsNone) {
  for (const auto& text : {"GET / HTTP/1.1\r\n"s, "\xff\0\0\0\0\0\0\0\1\x7e"s, greeting(2), greeting(0), greeting(3, "PLAIN"),
                           greeting(3, "GSSAPI"), greeting(3, ""), greeting(3, "CURVE2"), greeting(3, "curve")}) {
    Greeting one;
    const auto taken = one.take(text);
    ASSERT_FALSE(taken.ok()) << text;
    EXPECT_EQ(taken.error().code(), Code::Malformed) << text;
  }
}

// ----- CURVE

std::string curve_frame(std::uint8_t flags, std::size_t size) {
  return size < 256 ? frame(flags, std::string(size, 'x')) : long_head(flags | 2, size) + std::string(size, 'x');
}
const std::string kHandshake = greeting(3, "CURVE") + curve_frame(4, kHelloBytes) + curve_frame(4, 289);

/// What becomes of that text after a peer's handshake, piece by piece.
Code curve_code(const std::string& text, std::size_t step = 7, std::string* passed = nullptr) {
  CurveScanner scanner(CurveScanner::Side::Peer);
  std::string gone;
  for (std::size_t at = 0; at < text.size(); at += step) {
    for (std::string_view piece = std::string_view(text).substr(at, step); !piece.empty();) {
      const auto got = scanner.take(piece, gone);
      if (!got.ok()) return got.error().code();
      piece.remove_prefix(got->used);
    }
  }
  if (passed != nullptr) *passed = gone;
  return Code::Internal;
}

TEST(Curve, ARequestPassesAsItIs) {
  const auto text = kHandshake + curve_frame(0, kCurveOverhead) + curve_frame(0, 333);
  for (const std::size_t step : {std::size_t{1}, std::size_t{64}, text.size()}) {
    std::string passed;
    EXPECT_EQ(curve_code(text, step, &passed), Code::Internal) << step;
    EXPECT_EQ(passed, text) << step;
  }
}

TEST(Curve, D11_WhatIsUnansweredIsBounded) {
  std::string many = kHandshake;
  for (std::size_t i = 0; i < kMaxUnanswered; ++i) many += curve_frame(0, kCurveOverhead);
  EXPECT_EQ(curve_code(many), Code::Internal);
  EXPECT_EQ(curve_code(many + curve_frame(0, kCurveOverhead)), Code::TooLarge);
  EXPECT_EQ(curve_code(kHandshake + curve_frame(0, kMaxMessageBytes), 4096), Code::Internal);
  EXPECT_EQ(curve_code(kHandshake + curve_frame(0, kMaxMessageBytes) + long_head(2, kMaxMessageBytes), 4096), Code::TooLarge);
  EXPECT_EQ(curve_code(kHandshake + long_head(2, std::uint64_t{1} << 40)), Code::TooLarge);
  EXPECT_EQ(curve_code(kHandshake + long_head(2, ~std::uint64_t{0})), Code::Malformed);
}

TEST(Curve, AnAnswerGivesRoomAgain) {
  CurveScanner scanner(CurveScanner::Side::Peer);
  std::string passed;
  for (std::string_view rest = kHandshake; !rest.empty(); rest.remove_prefix(scanner.take(rest, passed)->used)) {
  }
  EXPECT_TRUE(scanner.has_greeted());
  const auto one = curve_frame(0, 40);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kMaxUnanswered; ++i) ASSERT_TRUE(scanner.take(one, passed)->message_is_over) << round;
    scanner.answered();
  }
  for (std::size_t i = 0; i < kMaxUnanswered; ++i) ASSERT_TRUE(scanner.take(one, passed).ok());
  EXPECT_FALSE(scanner.take(one, passed).ok());
}

TEST(Curve, RefusesWhatIsNoHandshake) {
  const auto hello = greeting(3, "CURVE") + curve_frame(4, kHelloBytes);
  for (const auto& text : {greeting(3, "CURVE") + curve_frame(0, kHelloBytes), greeting(3, "CURVE") + curve_frame(4, 199),
                           greeting(3, "CURVE") + curve_frame(4, 5), hello + curve_frame(0, 300), hello + curve_frame(5, 300),
                           hello + curve_frame(8, 30), kHandshake + curve_frame(1, 40), kHandshake + curve_frame(0, 32)}) {
    EXPECT_EQ(curve_code(text), Code::Malformed);
  }
  EXPECT_EQ(curve_code(hello + long_head(6, kMaxCommandBytes + 1)), Code::TooLarge);
}

struct Case {
  const char* name;
  std::string text;
  Code want;
};

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
      {"READY of 64 kB", greeting() + long_head(6, 65536), Code::TooLarge},
      {"a frame of 2^63", greeting() + kReady + kDelimiter + long_head(2, std::uint64_t{1} << 63), Code::Malformed},
      {"a frame of 2^64 - 1", greeting() + kReady + kDelimiter + long_head(2, ~std::uint64_t{0}), Code::Malformed},
      {"command in a message that is refused", greeting() + kReady + frame(1, "x") + frame(4, "\4PING"), Code::Malformed},
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

/// Frames of an envelope in front of the empty one.
std::string envelope(int count, const std::string& identity = "x") {
  std::string text;
  for (int i = 0; i < count; ++i) text += frame(1, identity);
  return text;
}

std::string parts(int count) {
  std::string text = kDelimiter;
  for (int i = 1; i < count; ++i) text += frame(1, "x");
  return text + frame(0, "x");
}

const std::string kPlainAnswer = frame(0, "no");
const std::string kAnswer = kDelimiter + kPlainAnswer;

struct Refusal {
  const char* name;
  std::string text;
  Code want;
  std::string answer;
};

TEST(Zmtp, F29_RefusesSingleMessagesAndTakesTheNext) {
  const std::string half(1 << 19, 'x');
  const std::string much((1 << 20) + 1, 'x');
  const Refusal cases[] = {
      {"no empty frame", frame(0, "{}"), Code::Malformed, kPlainAnswer},
      {"the empty frame alone", frame(0, ""), Code::Malformed, kPlainAnswer},
      {"the empty frame last", frame(1, "x") + frame(0, ""), Code::Malformed, kPlainAnswer},
      {"one octet above 1 MB", kDelimiter + long_head(2, much.size()) + much, Code::TooLarge, kAnswer},
      {"above 1 MB with its envelope", envelope(1) + kDelimiter + long_head(2, 1 << 20) + half + half, Code::TooLarge,
       envelope(1) + kAnswer},
      {"two frames", kDelimiter + frame(1, "{}") + frame(0, "{}"), Code::Malformed, kAnswer},
      {"two large frames", kDelimiter + long_head(3, half.size()) + half + long_head(2, much.size()) + much, Code::Malformed,
       kAnswer},
      {"two empty frames", kDelimiter + kDelimiter + frame(0, ""), Code::Malformed, kAnswer},
      {"10,000 frames", parts(10'000), Code::Malformed, kAnswer},
      {"an envelope of 17 frames", envelope(16) + kDelimiter + frame(0, "x"), Code::TooLarge, kPlainAnswer},
      {"an envelope of 4 kB", envelope(1, std::string(200, 'x')) + long_head(3, 4000) + std::string(4000, 'x') + kRequest,
       Code::TooLarge, kPlainAnswer},
  };
  for (const auto& one : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{4096}, std::size_t{1} << 22}) {
      if (step == 1 && one.text.size() > 100'000) continue;  // which takes long and shows no more
      const auto taken = take(greeting() + kReady + one.text + kRequest, step);
      EXPECT_TRUE(taken.ok) << one.name;
      EXPECT_EQ(taken.refusals, std::vector{one.want}) << one.name;
      EXPECT_EQ(taken.answer, one.answer) << one.name;
      EXPECT_EQ(taken.messages, 1U) << one.name;
      EXPECT_EQ(taken.passed, greeting() + kReady + kRequest) << one.name;
    }
  }
}

TEST(Zmtp, D11_ARefusedMessageIsNotSkippedForEver) {
  for (const auto& endless : {kDelimiter + long_head(2, std::uint64_t{1} << 40) + std::string(kMaxSkippedBytes + 1, 'x'),
                              kDelimiter + envelope(static_cast<int>(kMaxSkippedBytes / 3) + 1)}) {
    const auto taken = take(greeting() + kReady + endless, 65536);
    EXPECT_FALSE(taken.ok);
    EXPECT_EQ(taken.error, Code::TooLarge);
    EXPECT_EQ(taken.refusals.size(), 1U);
    EXPECT_EQ(taken.passed, greeting() + kReady);
  }
}

TEST(Zmtp, D11_WhatKeepsTheLimitsPasses) {
  for (const auto& start : {envelope(15), envelope(15, std::string(255, 'x'))}) {
    const auto text = greeting() + kReady + start + kRequest;
    EXPECT_EQ(take(text, 4096).passed, text);
  }
  const std::string body(1 << 20, 'x');
  const auto taken = take(greeting() + kReady + kDelimiter + long_head(2, body.size()) + body, 65536);
  EXPECT_TRUE(taken.ok);
  EXPECT_EQ(taken.messages, 1U);
  EXPECT_EQ(take(greeting() + kReady + frame(4, "\4PING") + kRequest, 7).messages, 1U);
}

TEST(Zmtp, AFrontGoesOnBeforeEachMessage) {
  const auto front = to_frame("127.0.0.1", true);
  const auto text = envelope(1) + kRequest;
  const auto taken = take(greeting() + kReady + text + frame(0, "refused") + text, 5, Scanner(kMaxMessageBytes, front));
  EXPECT_EQ(taken.passed, greeting() + kReady + front + text + front + text);
  EXPECT_EQ(taken.answer, kPlainAnswer);
}

TEST(Zmtp, FramesAreShortOrLong) {
  EXPECT_EQ(to_frame("x", true), frame(1, "x"));
  EXPECT_EQ(to_frame(std::string(255, 'x'), false), frame(0, std::string(255, 'x')));
  EXPECT_EQ(to_frame(std::string(256, 'x'), false), long_head(2, 256) + std::string(256, 'x'));
}

TEST(Zmtp, OurOwnAnswersMayBeLonger) {
  const auto taken = take(greeting() + kReady + kDelimiter + long_head(2, 1 << 24), 4096, Scanner(std::uint64_t{1} << 40));
  EXPECT_TRUE(taken.ok);
  EXPECT_TRUE(taken.refusals.empty());
}

}  // namespace
}  // namespace chancery::zmq_gateway
