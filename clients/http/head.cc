#include "clients/http/head.h"

#include <algorithm>
#include <charconv>

#include "server/base/address.h"
#include "server/base/text.h"

namespace chancery::http {
namespace {

constexpr std::size_t kMaxChunkLine = 256;  ///< chunk size and extensions
constexpr std::size_t kMaxChunkDigits = 8;
constexpr std::size_t kMaxLengthDigits = 15;
constexpr std::size_t kMaxHostBytes = 255;
constexpr std::size_t kV6Octets = 16;
constexpr std::string_view kLineEnd = "\r\n";

Error malformed(std::string message) { return {Code::Malformed, std::move(message)}; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// RFC 9110 5.6.2: tchar.
bool is_token_character(char c) {
  return is_digit(c) || is_letter(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_character); }

/// RFC 9110 5.5: field-content is visible characters, obs-text, space and tab.
bool is_field_character(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == '\t' || (octet >= 0x20 && octet != 0x7f);
}

/// RFC 3986 3.3 pchar and '/', '%' checked apart, and 3.4 for the query.
bool is_target_character(char c) {
  return is_digit(c) || is_letter(c) || std::string_view("-._~!$&'()*+,;=:@/?%").find(c) != std::string_view::npos;
}

std::string_view without_outer_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Result<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find(kLineEnd);
  if (end == std::string_view::npos) return malformed("request head without its end");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + kLineEnd.size());
  return line;
}

Status check_path(std::string_view path) {
  if (!path.starts_with('/')) return malformed("request target is no absolute path");
  const bool is_about_octets = path.find("/ocsp/") != std::string_view::npos;  // the one path with base64 in it (RFC 6960 A.1)
  for (const auto& segment : base::split(path.substr(1), '/')) {
    const auto plain = is_about_octets ? decode_octets(segment) : decode_segment(segment);
    if (!plain.ok()) return plain.error();
    if (*plain == "." || *plain == "..") return malformed("dot segment in the path");
  }
  if (path.find("//") != std::string_view::npos) return malformed("empty segment in the path");
  return {};
}

/// RFC 9112 3.2.2: scheme and authority of an absolute target go to the head, the rest of it stays.
Status take_origin(std::string_view& target, Head& head) {
  constexpr std::string_view kSeparator = "://";
  const auto separator = target.find(kSeparator);
  if (target.starts_with('/') || separator == std::string_view::npos) return {};
  const auto scheme = base::to_lower_ascii(target.substr(0, separator));
  if (scheme != "http" && scheme != "https") return malformed("request target with a scheme other than http and https");
  target.remove_prefix(separator + kSeparator.size());
  const auto host = target.substr(0, target.find_first_of("/?"));
  PKI_TRY_VOID(parse_authority(host));
  target.remove_prefix(host.size());
  head.scheme = scheme;
  head.host = host;
  return {};
}

Status read_target(std::string_view target, Head& head) {
  if (target.size() > kMaxTargetBytes) {
    return Error(Code::TooLarge,
                 "request target of " + std::to_string(target.size()) + " octets, at most " + std::to_string(kMaxTargetBytes));
  }
  PKI_TRY_VOID(take_origin(target, head));
  if (!std::ranges::all_of(target, is_target_character)) return malformed("character in the request target that is not allowed");
  const auto mark = target.find('?');
  head.path = target.substr(0, mark);
  if (head.path.empty() && !head.scheme.empty()) head.path = "/";  // RFC 9110 4.2.3
  if (mark != std::string_view::npos) head.query = target.substr(mark + 1);
  return check_path(head.path);
}

/// RFC 9112 section 3: method SP request-target SP HTTP-version.
Result<bool> read_request_line(std::string_view line, Head& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return malformed("request line without three parts");
  const auto version = line.substr(last + 1);
  if (!version.starts_with("HTTP/")) return malformed("request line without an HTTP version");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Error(Code::Unsupported, "HTTP version " + base::printable(version, 20) + ", expected HTTP/1.1");
  }
  head.method = line.substr(0, first);
  if (!is_token(head.method)) return malformed("method is no token");
  PKI_TRY_VOID(read_target(line.substr(first + 1, last - first - 1), head));
  return version == "HTTP/1.1";
}

Result<Header> read_header(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) return malformed("folded header line");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return malformed("header line without a colon");
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return malformed("header name is no token");
  const auto value = line.substr(colon + 1);
  if (!std::ranges::all_of(value, is_field_character)) return malformed("control character in a header");
  return Header{base::to_lower_ascii(name), std::string(without_outer_blanks(value))};
}

Status read_headers(std::string_view rest, Head& head) {
  while (true) {
    PKI_TRY(const auto line, take_line(rest));
    if (line.empty()) break;
    if (head.headers.size() == kMaxHeaders) {
      return Error(Code::TooLarge, "more than " + std::to_string(kMaxHeaders) + " headers");
    }
    PKI_TRY(auto header, read_header(line));
    head.headers.push_back(std::move(header));
  }
  if (!rest.empty()) return malformed("octets behind the request head");
  return {};
}

/// The header's value, empty without one. @errors Malformed: it is there more than once.
Result<std::string_view> single(const Head& head, std::string_view name, bool& present) {
  const auto count = std::ranges::count(head.headers, name, &Header::name);
  if (count > 1) return malformed("more than one " + std::string(name) + " header");
  present = count == 1;
  return find_header(head.headers, name).value_or("");
}

Status read_host(Head& head, bool is_1_1) {
  bool present = false;
  PKI_TRY(const auto host, single(head, "host", present));
  if (!present) return is_1_1 ? Status(malformed("no Host header")) : Status();
  PKI_TRY_VOID(parse_authority(host));
  if (head.scheme.empty()) head.host = host;  // RFC 9112 3.2.2: beside an absolute target the header counts for nothing
  return {};
}

/// RFC 9112 section 6.3, without the choices it leaves to the reader.
Status read_framing(Head& head, bool is_1_1) {
  bool counted = false;
  bool coded = false;
  PKI_TRY(const auto length, single(head, "content-length", counted));
  PKI_TRY(const auto coding, single(head, "transfer-encoding", coded));
  if (counted && coded) return malformed("Content-Length beside Transfer-Encoding");
  if (coded) {
    if (!is_1_1 || base::to_lower_ascii(coding) != "chunked") return malformed("transfer coding other than chunked");
    head.body = BodyKind::Chunked;
  }
  if (counted) {
    if (length.empty() || length.size() > kMaxLengthDigits || !std::ranges::all_of(length, is_digit)) {
      return malformed("Content-Length is no number");
    }
    std::from_chars(length.data(), length.data() + length.size(), head.content_length);
    head.body = head.content_length == 0 ? BodyKind::None : BodyKind::Counted;
  }
  return {};
}

Status read_connection(Head& head, bool is_1_1) {
  head.keep_alive = is_1_1;
  for (const auto& header : head.headers) {
    if (header.name != "connection") continue;
    for (const auto& option : base::split(base::to_lower_ascii(header.value), ',')) {
      if (base::trim(option) == "close") head.keep_alive = false;
    }
  }
  bool present = false;
  PKI_TRY(const auto expect, single(head, "expect", present));
  if (!present) return {};
  if (base::to_lower_ascii(expect) != "100-continue") return malformed("expectation other than 100-continue");
  head.expects_continue = is_1_1;
  return {};
}

bool is_host_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_bracketed_address(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  const auto octets = base::octets_of_address(text.substr(1, text.size() - 2));
  return octets && octets->size() == kV6Octets;
}

/// A CR or LF that is not part of CRLF may end a line for one reader and not for another.
Status check_line_ends(std::string_view text) {
  for (auto at = text.find_first_of(kLineEnd); at != std::string_view::npos; at = text.find_first_of(kLineEnd, at)) {
    if (!text.substr(at).starts_with(kLineEnd)) return malformed("bare CR or LF in the request head");
    at += kLineEnd.size();
  }
  return {};
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<Head> parse_head(std::string_view text) {
  PKI_TRY_VOID(check_line_ends(text));
  Head head;
  PKI_TRY(const auto line, take_line(text));
  PKI_TRY(const bool is_1_1, read_request_line(line, head));
  PKI_TRY_VOID(read_headers(text, head));
  PKI_TRY_VOID(read_host(head, is_1_1));
  PKI_TRY_VOID(read_framing(head, is_1_1));
  PKI_TRY_VOID(read_connection(head, is_1_1));
  return head;
}

Status check_begun_head(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);  // its LF may come
  PKI_TRY_VOID(check_line_ends(text));
  const auto end = text.find(kLineEnd);
  if (end == std::string_view::npos || text.substr(0, end).find(" HTTP/") != std::string_view::npos) return {};
  return malformed("request line without an HTTP version");
}

int status_of_head_error(const Error& error) {
  if (error.code() == Code::TooLarge) return 431;
  return error.code() == Code::Unsupported ? 505 : 400;
}

Result<bool> ChunkedBody::read_size(std::string& input) {
  const auto end = input.find('\n');
  if (end == std::string::npos && input.size() <= kMaxChunkLine) return false;
  if (end > kMaxChunkLine) return malformed("chunk size line too long");
  const std::string_view line = std::string_view(input).substr(0, end);
  if (!line.ends_with('\r') || line.find('\r') != line.size() - 1) return malformed("chunk size line without CRLF");
  const auto digits = line.substr(0, std::min(line.find(';'), line.size() - 1));
  if (digits.empty() || digits.size() > kMaxChunkDigits) return malformed("chunk size is no number");
  chunk_left_ = 0;
  for (const char c : digits) {
    const int value = hex_value(c);
    if (value < 0) return malformed("chunk size is no number");
    chunk_left_ = chunk_left_ * 16 + static_cast<std::size_t>(value);
  }
  if (chunk_left_ > limit_ - body_.size()) return Error(Code::TooLarge, "body above " + std::to_string(limit_) + " octets");
  state_ = chunk_left_ == 0 ? State::LastEnd : State::Data;
  input.erase(0, end + 1);
  return true;
}

Result<bool> ChunkedBody::feed(std::string& input) {
  while (true) {
    if (state_ == State::Size) {
      PKI_TRY(const bool more, read_size(input));
      if (!more) return false;
    }
    if (state_ == State::Data) {
      const auto count = std::min(chunk_left_, input.size());
      body_.append(input, 0, count);
      input.erase(0, count);
      chunk_left_ -= count;
      if (chunk_left_ > 0) return false;
      state_ = State::DataEnd;
    }
    if (input.size() < kLineEnd.size()) return false;
    if (!input.starts_with(kLineEnd)) {
      return malformed(state_ == State::LastEnd ? "trailer fields are not taken" : "chunk without its CRLF");
    }
    input.erase(0, kLineEnd.size());
    if (state_ == State::LastEnd) return true;
    state_ = State::Size;
  }
}

Result<Authority> parse_authority(std::string_view text) {
  if (text.empty() || text.size() > kMaxHostBytes) return malformed("host of " + std::to_string(text.size()) + " octets");
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  Authority authority{base::to_lower_ascii(text.substr(0, has_port ? colon : text.size())), 0};
  if (!is_host_name(authority.host) && !is_bracketed_address(authority.host))
    return malformed("host is neither a name nor an address");
  if (!has_port) return authority;
  const auto digits = text.substr(colon + 1);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), authority.port);
  const bool whole = failure == std::errc() && end == digits.data() + digits.size() && is_digit(digits.front());
  if (!whole || authority.port < 1 || authority.port > 65535) return malformed("port of the host is no number from 1 to 65535");
  return authority;
}

namespace {

template <class Allowed>
Result<std::string> decode(std::string_view text, Allowed is_allowed) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain.push_back(text[i]);
      continue;
    }
    const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return malformed("% without two hexadecimal digits");
    const char c = static_cast<char>(high * 16 + low);
    if (!is_allowed(c)) return malformed("encoded character that is not allowed");
    plain.push_back(c);
    i += 2;
  }
  return plain;
}

}  // namespace

Result<std::string> decode_percent(std::string_view text) {
  return decode(text, [](char c) { return c != '\0'; });
}

Result<std::string> decode_segment(std::string_view text) {
  return decode(text, [](char c) { return is_field_character(c) && c != '\t' && c != '/' && c != '.'; });
}

Result<std::string> decode_octets(std::string_view text) {
  return decode(text, [](char c) { return is_field_character(c) && c != '\t' && c != '.'; });
}

}  // namespace chancery::http
