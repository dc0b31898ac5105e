#include <algorithm>

#include "clients/http/head.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

constexpr std::size_t kLimit = 4096;

/// The body, or "refused" and nothing of it.
std::string chunked(std::string_view input, std::size_t step) {
  http::ChunkedBody body(kLimit);
  std::string pending;
  for (std::size_t at = 0; at < input.size(); at += step) {
    pending += input.substr(at, step);
    const auto over = body.feed(pending);
    if (!over.ok()) return "refused";
    if (*over) return "whole " + body.take();
  }
  return "unfinished";
}

void check_head(std::string_view text) {
  const auto head = http::parse_head(text);
  fuzz::hold(!head.ok() || http::check_begun_head(text.substr(0, text.size() / 2)).ok());
  if (!head.ok()) {
    fuzz::hold(http::status_of_head_error(head.error()) >= 400);
    return;
  }
  fuzz::hold(head->path.starts_with('/') && head->path.find("/../") == std::string::npos);
  fuzz::hold(head->host.empty() || http::parse_authority(head->host).ok());
  fuzz::hold(http::find_header(head->headers, "transfer-encoding").has_value() == (head->body == http::BodyKind::Chunked));
  static_cast<void>(http::decode_segment(head->path.substr(1)).ok());
}

}  // namespace

/// A request's head and, behind it, its body in chunks.
FUZZ_TARGET(http_head) {
  const auto end = input.find("\r\n\r\n");
  const auto head = input.substr(0, end == std::string_view::npos ? input.size() : end + 4);
  if (end != std::string_view::npos && head.size() <= http::kMaxHeadBytes) check_head(head);
  const auto body = end == std::string_view::npos ? input : input.substr(end + 4);
  if (body.size() <= 2 * kLimit) fuzz::hold(chunked(body, std::max<std::size_t>(body.size(), 1)) == chunked(body, 1));
  static_cast<void>(http::parse_authority(input).ok());
}
