#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/base/result.h"

/// The frames of ZMTP 3 (RFC 23 of the ZeroMQ project) as they pass, counted and bounded: what libzmq does not do for strangers.
namespace chancery::zmq_gateway {

inline constexpr std::uint64_t kMaxMessageBytes = 1 << 20;  ///< PROMISES D11: of all parts of one message together
inline constexpr std::size_t kMaxParts = 16;                ///< PROMISES D11: of an envelope, with its empty frame
inline constexpr std::size_t kMaxEnvelopeBytes = 4096;      ///< of its frames with their heads: 15 identities and the empty frame
inline constexpr std::uint64_t kMaxCommandBytes = 4096;     ///< READY with its properties; PING
inline constexpr std::uint64_t kMaxSkippedBytes = 16 << 20;  ///< of one message that was refused

/// A frame of a message. @param more  further frames of the same message follow.
std::string to_frame(std::string_view body, bool more);

/// Follows the octets of one direction of a connection.
class Follower {
 public:
  struct Step {
    std::size_t used = 0;          ///< octets that were taken
    bool message_is_over = false;  ///< the last of them ends a message that passed: the peer now waits for an answer
    /// The message in hand is refused, and may be answered at once; its further octets are taken, but none of them passes.
    /// Malformed: no empty frame before the request, several frames behind it. TooLarge: above a limit.
    std::optional<Error> refusal{};
  };

  Follower() = default;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  virtual ~Follower() = default;

  /// Takes octets up to the end of a message, to a refusal, or all of them.
  ///
  /// @param passed  gets what may go on. @errors Malformed, TooLarge: the connection ends.
  virtual Result<Step> take(std::string_view octets, std::string& passed) = 0;
  /// The one frame of an answer to the message that was refused last, behind the envelope that it came in.
  virtual std::string to_answer(std::string_view body) const { return to_frame(body, false); }
  /// Commands of the handshake, and others that can be seen.
  virtual std::uint64_t commands() const = 0;
  virtual bool has_greeted() const = 0;
  /// A frame or message has begun and is not over: the rest has to come within a deadline.
  virtual bool is_inside() const = 0;
  /// Whether nobody can see where a request ends, so that there may be more to read while an answer is due.
  virtual bool reads_on() const { return false; }
  /// The other direction has answered.
  virtual void answered() {}
};

/// Follows a connection of mechanism NULL. A message of a REQ client is an envelope, an empty frame and the request in one frame.
///
/// What goes on to libzmq is held back until the head of the request has shown that the message keeps the limits. So nothing of a
/// message that breaks them reaches libzmq, the connection stays in step, and the peer can get an answer of its own and ask
/// again. An answer is impossible where ZMTP has none or where the next frame would not be found: no handshake, no commands and
/// no sizes that ZMTP knows. Those are errors, and the connection ends at once, which a client sees in its monitor or by its
/// time-out: libzmq connects anew, but sends the lost request no second time.
class Scanner : public Follower {
 public:
  /// @param max_message  octets of one message; our own answers may be longer than what strangers may send.
  /// @param front  a frame (to_frame) that goes on in front of each message.
  explicit Scanner(std::uint64_t max_message = kMaxMessageBytes, std::string front = {})
      : max_message_(max_message), front_(std::move(front)) {}

  /// Takes octets up to the end of a message, to a refusal, or all of them.
  ///
  /// @param passed  gets what may go on.
  /// @errors Malformed: no ZMTP 3 greeting of mechanism NULL, reserved flags, a size above 2^63 - 1, a command in the middle of a
  /// message; TooLarge: a command above its limit, a refused message above kMaxSkippedBytes.
  Result<Step> take(std::string_view octets, std::string& passed) override;

  /// The one frame of an answer to the message that was refused last, behind the envelope that it came in. A message without the
  /// empty frame gets an answer without one: that is how a DEALER reads what it wrote.
  std::string to_answer(std::string_view body) const override { return envelope_ + to_frame(body, false); }

  /// Commands so far, READY and PING alike.
  std::uint64_t commands() const override { return commands_; }
  bool has_greeted() const override { return state_ != State::Greeting; }
  /// A frame or message has begun and is not over: the rest has to come within a deadline.
  bool is_inside() const override { return state_ != State::Flags || parts_ > 0; }

 private:
  static constexpr std::size_t kSignatureBytes = 10;
  enum class State : std::uint8_t { Greeting, Flags, Size, Body };
  Status take_greeting(std::uint8_t octet);
  Status take_flags(std::uint8_t octet);
  Result<std::optional<Error>> take_octet(std::uint8_t octet, std::string& passed);
  Result<std::optional<Error>> begin_body(std::string& passed);
  std::size_t take_body(std::string_view octets, std::string& passed);
  std::optional<Error> judge() const;
  void refuse();
  bool end_frame();

  std::uint64_t max_message_;
  std::string front_;
  std::string held_;      ///< frames of the envelope and the head in hand: not passed yet
  std::string envelope_;  ///< of the message that was refused last
  State state_ = State::Greeting;
  std::size_t got_ = 0;  ///< octets of the greeting or of the size so far
  std::uint8_t flags_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;  ///< of the body
  std::uint64_t message_ = 0;
  std::uint64_t commands_ = 0;
  std::size_t parts_ = 0;
  bool has_delimiter_ = false;
  bool is_skipping_ = false;  ///< the rest of a message that was refused
  std::uint64_t skipped_ = 0;
};

}  // namespace chancery::zmq_gateway
