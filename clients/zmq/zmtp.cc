#include "clients/zmq/zmtp.h"

#include <algorithm>
#include <limits>

namespace chancery::zmq_gateway {
namespace {

constexpr std::size_t kGreetingBytes = 64;
constexpr std::size_t kMajorVersion = 10;
constexpr std::size_t kMechanism = 12;
constexpr std::size_t kAsServer = 32;
constexpr std::uint8_t kLeastMajor = 3;
constexpr std::string_view kNull = "NULL";

constexpr std::uint8_t kMore = 1;
constexpr std::uint8_t kLong = 2;
constexpr std::uint8_t kCommand = 4;
constexpr std::uint8_t kKnownFlags = kMore | kLong | kCommand;
constexpr std::size_t kLongSizeBytes = 8;
constexpr std::uint64_t kMostShortSize = 255;
constexpr std::uint64_t kMostSize = std::numeric_limits<std::int64_t>::max();

Error malformed(const char* what) { return {Code::Malformed, what, "these ports speak ZMTP 3 (libzmq 4) without security"}; }

Error too_large(const char* what, std::uint64_t most, const char* unit) {
  return {Code::TooLarge, std::string(what) + std::to_string(most) + unit};
}

}  // namespace

std::string to_frame(std::string_view body, bool more) {
  const bool is_long = body.size() > kMostShortSize;
  std::string frame(1, static_cast<char>((more ? kMore : 0) | (is_long ? kLong : 0)));
  for (std::size_t i = is_long ? kLongSizeBytes : 1; i-- > 0;)
    frame.push_back(static_cast<char>(std::uint64_t{body.size()} >> (8 * i)));
  return frame.append(body);
}

/// signature = %xFF 8OCTET %x7F, version = %x03 OCTET, mechanism = 20 octets, as-server, 31 octets of filler.
Status Scanner::take_greeting(std::uint8_t octet) {
  const auto at = got_++;
  if (at == 0 && octet != 0xff) return malformed("no ZMTP greeting");
  if (at == kSignatureBytes - 1 && octet != 0x7f) return malformed("no ZMTP greeting");
  if (at == kMajorVersion && octet < kLeastMajor) return malformed("a ZMTP version below 3");
  if (at >= kMechanism && at < kAsServer) {
    const auto want = at - kMechanism < kNull.size() ? kNull[at - kMechanism] : '\0';
    if (octet != static_cast<std::uint8_t>(want)) return malformed("a security mechanism other than NULL");
  }
  if (got_ < kGreetingBytes) return {};
  got_ = 0;
  state_ = State::Flags;
  return {};
}

Status Scanner::take_flags(std::uint8_t octet) {
  flags_ = octet;
  if ((flags_ & ~kKnownFlags) != 0) return malformed("reserved frame flags");
  if ((flags_ & kCommand) != 0 && ((flags_ & kMore) != 0 || parts_ > 0)) return malformed("a command in the middle of a message");
  size_ = 0;
  got_ = 0;
  state_ = State::Size;
  return {};
}

/// Why the message does not go on, now that the size of its next frame is known.
std::optional<Error> Scanner::judge() const {
  const bool more = (flags_ & kMore) != 0;
  if (size_ > max_message_ - message_) return too_large("a message above ", max_message_, " octets");
  if (has_delimiter_ && !more) return std::nullopt;
  if (has_delimiter_) return malformed("[700] a message of several frames, expected one JSON object in one frame");
  if (!more) return malformed("[700] a message without the empty frame that REQ sockets send before the request");
  if (parts_ > kMaxParts) return too_large("an envelope of more than ", kMaxParts, " frames");
  if (held_.size() + size_ > kMaxEnvelopeBytes) return too_large("an envelope above ", kMaxEnvelopeBytes, " octets");
  return std::nullopt;
}

/// The envelope is the answer's, too; without an empty frame it was none.
void Scanner::refuse() {
  const std::size_t head = 1 + ((flags_ & kLong) != 0 ? kLongSizeBytes : 1);
  envelope_.clear();
  if (has_delimiter_) envelope_ = held_.substr(0, held_.size() - head);
  held_.clear();
  is_skipping_ = true;
  skipped_ = 0;
}

/// The size is known: limits first, then the body.
Result<std::optional<Error>> Scanner::begin_body(std::string& passed) {
  got_ = 0;
  left_ = size_;
  state_ = State::Body;
  if (size_ > kMostSize) return malformed("a frame size above 2^63 - 1");
  if ((flags_ & kCommand) != 0) {
    if (size_ > kMaxCommandBytes) return too_large("a ZMTP command above ", kMaxCommandBytes, " octets");
    passed += std::exchange(held_, {});
    return std::optional<Error>();
  }
  if (is_skipping_) return std::optional<Error>();
  ++parts_;
  if (auto why = judge(); why) {
    refuse();
    return why;
  }
  message_ += size_;
  if (has_delimiter_) passed += front_ + std::exchange(held_, {});
  has_delimiter_ = has_delimiter_ || size_ == 0;
  return std::optional<Error>();
}

/// An octet of the greeting or of a frame's head. @return why the message is refused.
Result<std::optional<Error>> Scanner::take_octet(std::uint8_t octet, std::string& passed) {
  if (state_ == State::Greeting) {
    passed.push_back(static_cast<char>(octet));
    PKI_TRY_VOID(take_greeting(octet));
    return std::optional<Error>();
  }
  if (!is_skipping_) held_.push_back(static_cast<char>(octet));
  if (state_ == State::Flags) {
    PKI_TRY_VOID(take_flags(octet));
    return std::optional<Error>();
  }
  size_ = size_ << 8 | octet;
  if (++got_ < ((flags_ & kLong) != 0 ? kLongSizeBytes : 1)) return std::optional<Error>();
  return begin_body(passed);
}

/// @return how many octets were of the body.
std::size_t Scanner::take_body(std::string_view octets, std::string& passed) {
  const auto part = octets.substr(0, std::min<std::uint64_t>(left_, octets.size()));
  left_ -= part.size();
  if (!is_skipping_) ((flags_ & kMore) != 0 ? held_ : passed).append(part);  // further frames: the envelope
  return part.size();
}

/// @return whether that ended a message that passed.
bool Scanner::end_frame() {
  state_ = State::Flags;
  if ((flags_ & kCommand) != 0) ++commands_;
  if ((flags_ & (kCommand | kMore)) != 0) return false;
  message_ = 0;
  parts_ = 0;
  has_delimiter_ = false;
  return !std::exchange(is_skipping_, false);
}

Result<Scanner::Step> Scanner::take(std::string_view octets, std::string& passed) {
  Step step;
  while (step.used < octets.size() && !step.message_is_over && !step.refusal) {
    std::size_t used = 1;
    if (state_ == State::Body) {
      used = take_body(octets.substr(step.used), passed);
    } else {
      PKI_TRY(step.refusal, take_octet(static_cast<std::uint8_t>(octets[step.used]), passed));
    }
    step.used += used;
    if (is_skipping_ && (skipped_ += used) > kMaxSkippedBytes)
      return too_large("a refused message above ", kMaxSkippedBytes, " octets");
    if (state_ == State::Body && left_ == 0) step.message_is_over = end_frame();
  }
  return step;
}

}  // namespace chancery::zmq_gateway
