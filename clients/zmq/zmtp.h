#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/base/result.h"

/// The frames of ZMTP 3 (RFC 23 of the ZeroMQ project) as they pass, counted and bounded: what libzmq does not do for strangers.
namespace chancery::zmq_gateway {

inline constexpr std::uint64_t kMaxMessageBytes = 1 << 20;  ///< PROMISES D11: of all parts of one message together
inline constexpr std::size_t kMaxParts = 16;                ///< PROMISES D11
inline constexpr std::uint64_t kMaxCommandBytes = 4096;     ///< READY with its properties; PING

/// Follows the octets of one peer. A message of a REQ client is an envelope, an empty frame and the request; each of the limits
/// above ends the connection before the octets reach libzmq.
class Scanner {
 public:
  struct Step {
    std::size_t used = 0;          ///< octets that may pass
    bool message_is_over = false;  ///< the last of them ends a message: the peer now waits for an answer
  };

  /// @param max_message  octets of one message; our own answers may be longer than what strangers may send.
  explicit Scanner(std::uint64_t max_message = kMaxMessageBytes) : max_message_(max_message) {}

  /// Takes octets up to the end of a message, or all of them.
  /// @errors Malformed: no ZMTP 3 greeting of mechanism NULL, reserved flags, a command in the middle of a message, a message
  /// without the empty frame before the request; TooLarge: a message or command above its limit, more parts than kMaxParts.
  Result<Step> take(std::string_view octets);

  /// Commands so far, READY and PING alike.
  std::uint64_t commands() const { return commands_; }
  bool has_greeted() const { return state_ != State::Greeting; }
  /// The first octets were those of ZMTP.
  bool has_signature() const { return has_greeted() || got_ >= kSignatureBytes; }
  /// A frame or message has begun and is not over: the rest has to come within a deadline.
  bool is_inside() const { return state_ == State::Greeting || got_ > 0 || state_ == State::Body || parts_ > 0; }

 private:
  static constexpr std::size_t kSignatureBytes = 10;
  enum class State : std::uint8_t { Greeting, Flags, Size, Body };
  Status take_greeting(std::uint8_t octet);
  Status take_flags(std::uint8_t octet);
  Status begin_body();
  bool end_frame();

  std::uint64_t max_message_;
  State state_ = State::Greeting;
  std::size_t got_ = 0;  ///< octets of the greeting or of the size so far
  std::uint8_t flags_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;  ///< of the body
  std::uint64_t message_ = 0;
  std::uint64_t commands_ = 0;
  std::size_t parts_ = 0;
  bool has_delimiter_ = false;
};

}  // namespace chancery::zmq_gateway
