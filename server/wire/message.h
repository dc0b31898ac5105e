#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/fd.h"
#include "server/wire/json.h"

/// JSON-RPC 2.0, one message per line (DESIGN 4).
namespace chancery::wire {

inline constexpr std::size_t kMaxLineBytes = 1U << 20;  ///< a request from a client
inline constexpr std::size_t kMaxReplyBytes = 64U
                                              << 20;  ///< a reply, or a frame between our own processes: a CRL of 10^6 entries
inline constexpr std::size_t kMaxIdBytes = 256;
inline constexpr std::int64_t kMostWithinMs = 3'600'000;  ///< of the envelope's member "within_ms"

/// The hint with the last answer of a session: the next request needs another one.
inline constexpr std::string_view kConnectAgain = "connect again";

struct Request {
  Json id;  ///< text, integer or null; absent means a notification, which is refused
  std::string method;
  Json params;             ///< an object, {} when absent
  std::string acting_for;  ///< envelope member "for": whom a front end acts for; empty without one
  /// Envelope member "within_ms": how long the answer is of use, from the moment the server has read the request. What cannot be
  /// undone is not begun later (Session::check_wanted). 1 to kMostWithinMs; none: as long as the connection stands.
  std::optional<std::chrono::milliseconds> within{};
};

struct Reply {
  Json id;
  std::optional<Json> result;
  std::optional<Error> error;
};

/// @errors Malformed, TooLarge (line above kMaxLineBytes, nesting), InvalidParams (params that are no object).
Result<Request> decode_request(std::string_view line);
std::string encode_request(const Request& request);

/// A request whose parts stay where they are.
struct Asked {
  const Json& id;
  std::string_view method;
  const Json& params;
  std::string_view acting_for;
  std::optional<std::chrono::milliseconds> within{};
};
std::string encode_call(const Asked& asked);

/// Without the line's end.
std::string encode_result(const Json& id, const Json& result);
std::string encode_error(const Json& id, const Error& error);
/// @errors Malformed.
Result<Reply> decode_reply(std::string_view line);

/// Reads lines from a descriptor, never keeping more than the limit.
class LineReader {
 public:
  LineReader(int fd, std::size_t max_line) : fd_(fd), max_line_(max_line) {}

  /// The next line without its LF (and CR before it).
  /// @errors Closed: the peer hung up between lines; Malformed: in the middle of one; TooLarge; Timeout: no whole line
  /// within the limit; Io.
  Result<std::string> next(std::chrono::milliseconds limit);
  /// Whether a whole line is here already.
  bool has_line() const { return buffer_.find('\n', scanned_) != std::string::npos; }

 private:
  int fd_;
  std::size_t max_line_;
  std::string buffer_;
  std::size_t scanned_ = 0;
};

/// Writes a line and its LF within the limit. @errors Timeout, Closed, Io.
Status write_line(int fd, std::string_view line, std::chrono::milliseconds limit);

}  // namespace chancery::wire
