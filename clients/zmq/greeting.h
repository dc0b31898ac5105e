#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "server/base/result.h"

/// How a ZMTP 3 connection begins (RFC 23 of the ZeroMQ project): 64 octets each way, the same for every security mechanism.
namespace chancery::zmq_gateway {

inline constexpr std::string_view kNull = "NULL";    ///< no security
inline constexpr std::string_view kCurve = "CURVE";  ///< RFC 26: keys and encryption

/// Reads a peer's.
class Greeting {
 public:
  static constexpr std::size_t kBytes = 64;
  static constexpr std::size_t kSignatureBytes = 10;

  /// Takes octets up to the greeting's end. @return how many.
  /// @errors Malformed: no ZMTP 3, or another mechanism than NULL and CURVE.
  Result<std::size_t> take(std::string_view octets);
  /// The first octets were those of ZMTP.
  bool has_signature() const { return text_.size() >= kSignatureBytes; }
  bool is_over() const { return text_.size() == kBytes; }
  /// @pre is_over()
  std::string_view mechanism() const;
  const std::string& text() const { return text_; }

 private:
  Status check_last() const;
  std::string text_;
};

/// A server's, of that mechanism.
std::string make_greeting(std::string_view mechanism);
/// So many of its first octets do not depend on the mechanism: a peer tells its own only when it has them.
inline constexpr std::size_t kOpeningBytes = 11;

}  // namespace chancery::zmq_gateway
