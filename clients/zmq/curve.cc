#include "clients/zmq/curve.h"

#include <algorithm>
#include <limits>

#include "clients/zmq/greeting.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::uint8_t kLong = 2;
constexpr std::uint8_t kCommand = 4;
constexpr std::uint8_t kKnownFlags = kLong | kCommand;
constexpr std::size_t kLongSizeBytes = 8;
constexpr std::uint64_t kMostSize = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kMostUnanswered = kMaxMessageBytes + kMaxEnvelopeBytes + kMaxUnanswered * kCurveOverhead;

Error malformed(const char* what) { return {Code::Malformed, what, "this connection speaks CURVE (RFC 26 of ZeroMQ)"}; }

}  // namespace

/// Each side sends two commands, then encrypted frames alone.
Status CurveScanner::check_handshake() const {
  if ((flags_ & kCommand) == 0) return malformed("a message before the handshake's end");
  if (size_ > kMaxCommandBytes) {
    return Error(Code::TooLarge, "a CURVE handshake with a command above " + std::to_string(kMaxCommandBytes) + " octets");
  }
  if (side_ == Side::Peer && handshake_ == 0 && size_ != kHelloBytes) return malformed("a CURVE handshake without HELLO");
  return {};
}

Status CurveScanner::begin_body() {
  got_ = 0;
  left_ = size_;
  state_ = State::Body;
  if (size_ > kMostSize) return malformed("a frame size above 2^63 - 1");
  if (!has_greeted()) return check_handshake();
  if (side_ == Side::Own) return {};
  if (size_ < kCurveOverhead) return malformed("a CURVE frame that is too short to be one");
  ++unanswered_frames_;
  if (unanswered_frames_ > kMaxUnanswered || size_ > kMostUnanswered - unanswered_octets_) {
    return Error(Code::TooLarge, "more than " + std::to_string(kMaxUnanswered) + " frames or " + std::to_string(kMostUnanswered) +
                                     " octets without waiting for an answer");
  }
  unanswered_octets_ += size_;
  return {};
}

Status CurveScanner::take_octet(std::uint8_t octet) {
  if (state_ == State::Greeting) {  // the guard has read the peer's (greeting.h) before it chose this scanner
    if (++got_ < Greeting::kBytes) return {};
    got_ = 0;
    state_ = State::Flags;
    return {};
  }
  if (state_ == State::Flags) {
    flags_ = octet;
    if ((flags_ & ~kKnownFlags) != 0) return malformed("frame flags that CURVE does not have");
    size_ = 0;
    got_ = 0;
    state_ = State::Size;
    return {};
  }
  size_ = size_ << 8 | octet;
  return ++got_ < ((flags_ & kLong) != 0 ? kLongSizeBytes : 1) ? Status() : begin_body();
}

Result<Follower::Step> CurveScanner::take(std::string_view octets, std::string& passed) {
  Step step;
  while (step.used < octets.size() && !step.message_is_over) {
    std::uint64_t used = 1;
    if (state_ == State::Body) {
      used = std::min<std::uint64_t>(left_, octets.size() - step.used);
      left_ -= used;
    } else {
      PKI_TRY_VOID(take_octet(static_cast<std::uint8_t>(octets[step.used])));
    }
    passed += octets.substr(step.used, used);
    step.used += used;
    if (state_ != State::Body || left_ > 0) continue;
    state_ = State::Flags;
    step.message_is_over = has_greeted();
    if (!has_greeted()) ++handshake_;
  }
  return step;
}

void CurveScanner::answered() {
  unanswered_frames_ = 0;
  unanswered_octets_ = 0;
}

}  // namespace chancery::zmq_gateway
