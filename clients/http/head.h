#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clients/http/message.h"
#include "server/base/result.h"

/// The grammar of HTTP/1.1 requests (RFC 9112), read strictly: what two readers could understand differently is refused
/// (PROMISES F28). Pure: text in, values out.
namespace chancery::http {

/// How long the body behind a head is.
enum class BodyKind : std::uint8_t { None, Counted, Chunked };

struct Head {
  std::string method;
  std::string scheme;  ///< "http" or "https" of an absolute request target; empty: the target was a path
  std::string path;
  std::string query;
  std::vector<Header> headers;  ///< names in lower case, values without outer white space
  std::string host;             ///< of an absolute target, else the Host header; empty in HTTP/1.0 without one
  bool keep_alive = true;
  bool expects_continue = false;
  BodyKind body = BodyKind::None;
  std::size_t content_length = 0;
};

/// Reads a request line and headers, up to and with the empty line.
///
/// @param text  at most kMaxHeadBytes, ends with CRLF CRLF.
/// @errors Malformed: bare CR or LF, folded lines, white space before a colon, control characters, a target that is no plain
/// absolute path ("//", ".", "..", encoded '/', '.' or control characters) nor http or https URL of one, no or several Host,
/// several Content-Length, a Content-Length beside Transfer-Encoding, a transfer coding other than chunked; TooLarge: more
/// headers than kMaxHeaders, target above kMaxTargetBytes; Unsupported: an HTTP version other than 1.0 and 1.1.
Result<Head> parse_head(std::string_view text);

/// Whether what has come of a head can still become one; the answer to what cannot need not wait for an end that may never come.
/// @errors Malformed: bare CR or LF, a first line without an HTTP version (so that of HTTP/0.9).
Status check_begun_head(std::string_view text);

/// The status that answers an error of parse_head or check_begun_head.
int status_of_head_error(const Error& error);

/// Takes a chunked body apart as it comes (RFC 9112 section 7.1).
class ChunkedBody {
 public:
  explicit ChunkedBody(std::size_t limit) : limit_(limit) {}

  /// Reads as much as it can off the front of `input` and removes that. @return whether the body is complete.
  /// @errors Malformed: bad chunk size, extension above 256 octets, trailer fields; TooLarge: more than the limit.
  Result<bool> feed(std::string& input);
  std::string take() { return std::move(body_); }

 private:
  enum class State : std::uint8_t { Size, Data, DataEnd, LastEnd };
  Result<bool> read_size(std::string& input);

  std::size_t limit_;
  std::size_t chunk_left_ = 0;
  State state_ = State::Size;
  std::string body_;
};

/// Host and port of a Host header or of an URL.
struct Authority {
  std::string host;  ///< lower case; IPv6 addresses in brackets
  int port = 0;      ///< 0: none given
};
/// @errors Malformed: not `host [":" port]` of RFC 3986 3.2.2 (a name of letters, digits, '-', '.', '_', or an address).
Result<Authority> parse_authority(std::string_view text);

/// Decodes %XX anywhere, to any octet but NUL. @errors Malformed: bad digits, NUL.
Result<std::string> decode_percent(std::string_view text);

/// Decodes %XX in one path segment or form value. @errors Malformed: bad digits; control characters, '/' or NUL come out.
Result<std::string> decode_segment(std::string_view text);
/// The same with "%2F", for what is no name of anything: base64 in a path (RFC 6960 A.1).
Result<std::string> decode_octets(std::string_view text);

}  // namespace chancery::http
