#include "clients/zmq/zmtp.h"

#include <algorithm>
#include <string>

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

Error malformed(const char* what) { return {Code::Malformed, what, "these ports speak ZMTP 3 (libzmq 4) without security"}; }

}  // namespace

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

/// The size is known: limits first, then the body.
Status Scanner::begin_body() {
  got_ = 0;
  left_ = size_;
  state_ = State::Body;
  if ((flags_ & kCommand) != 0) {
    return size_ <= kMaxCommandBytes
               ? Status()
               : Status(Error(Code::TooLarge, "a ZMTP command above " + std::to_string(kMaxCommandBytes) + " octets"));
  }
  if (++parts_ > kMaxParts) return Error(Code::TooLarge, "a message of more than " + std::to_string(kMaxParts) + " parts");
  if (size_ > max_message_ - message_) {
    return Error(Code::TooLarge, "a message above " + std::to_string(max_message_) + " octets");
  }
  message_ += size_;
  if (size_ == 0 && (flags_ & kMore) != 0) has_delimiter_ = true;
  if ((flags_ & kMore) == 0 && !has_delimiter_) return malformed("a message without the empty frame that REQ sockets send");
  return {};
}

/// @return whether that ended a message.
bool Scanner::end_frame() {
  state_ = State::Flags;
  if ((flags_ & kCommand) != 0) ++commands_;
  if ((flags_ & (kCommand | kMore)) != 0) return false;
  message_ = 0;
  parts_ = 0;
  has_delimiter_ = false;
  return true;
}

Result<Scanner::Step> Scanner::take(std::string_view octets) {
  Step step;
  while (step.used < octets.size()) {
    const auto octet = static_cast<std::uint8_t>(octets[step.used]);
    if (state_ == State::Body) {
      const auto part = std::min<std::uint64_t>(left_, octets.size() - step.used);
      left_ -= part;
      step.used += part;
    } else {
      ++step.used;
      if (state_ == State::Greeting) {
        PKI_TRY_VOID(take_greeting(octet));
        continue;
      }
      if (state_ == State::Flags) {
        PKI_TRY_VOID(take_flags(octet));
        continue;
      }
      size_ = size_ << 8 | octet;
      if (++got_ < ((flags_ & kLong) != 0 ? kLongSizeBytes : 1)) continue;
      PKI_TRY_VOID(begin_body());
    }
    if (left_ > 0) continue;
    step.message_is_over = end_frame();
    if (step.message_is_over) return step;
  }
  return step;
}

}  // namespace chancery::zmq_gateway
