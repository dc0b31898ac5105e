#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clients/zmq/zmtp.h"

/// The frames of a CURVE connection (RFC 26 of the ZeroMQ project) as they pass. What is in them, and whether another part
/// follows, lies inside the encryption; sizes and numbers do not.
namespace chancery::zmq_gateway {

inline constexpr std::uint64_t kHelloBytes = 200;
inline constexpr std::uint64_t kCurveOverhead = 33;           ///< of each frame: "\7MESSAGE", nonce, MAC, flags
inline constexpr std::size_t kMaxUnanswered = kMaxParts + 2;  ///< frames: an envelope, its empty frame, the request

/// Follows the octets of one direction. A peer may send as much as one request is allowed to have, in as many frames, until the
/// other side answers: libzmq would take any number of parts of one message, and keep them.
class CurveScanner : public Follower {
 public:
  enum class Side : std::uint8_t { Peer, Own };
  explicit CurveScanner(Side side) : side_(side) {}

  /// @errors Malformed: no greeting of CURVE, no HELLO and INITIATE (RFC 26) first, flags or sizes that ZMTP does not know;
  /// TooLarge: more than one request may have, and no answer yet.
  Result<Step> take(std::string_view octets, std::string& passed) override;
  std::uint64_t commands() const override { return handshake_; }
  bool has_greeted() const override { return handshake_ == kHandshakeFrames; }
  bool is_inside() const override { return state_ != State::Flags; }
  bool reads_on() const override { return true; }
  void answered() override;

 private:
  static constexpr std::uint64_t kHandshakeFrames = 2;  ///< HELLO and INITIATE, or WELCOME and READY
  enum class State : std::uint8_t { Greeting, Flags, Size, Body };
  Status take_octet(std::uint8_t octet);
  Status begin_body();
  Status check_handshake() const;

  Side side_;
  State state_ = State::Greeting;
  std::size_t got_ = 0;
  std::uint8_t flags_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t handshake_ = 0;
  std::size_t unanswered_frames_ = 0;
  std::uint64_t unanswered_octets_ = 0;
};

}  // namespace chancery::zmq_gateway
