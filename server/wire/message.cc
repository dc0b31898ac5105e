#include "server/wire/message.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "server/base/text.h"

namespace chancery::wire {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr std::size_t kFirstRead = 4096;  ///< then as much again as there is: long lines in few steps, short ones in few pages
constexpr std::size_t kMaxMethodBytes = 64;
constexpr std::size_t kMaxActingForBytes = 128;

Status check_version(const Json& message) {
  if (message.text("jsonrpc") == "2.0") return {};
  return Error(Code::Malformed, "member jsonrpc is not \"2.0\"");
}

/// A member that is misspelt or of another type must not be as if it were not there: `for` says on whose behalf something is
/// done, `within_ms` until when.
Status check_members(const Json& message) {
  constexpr std::array<std::string_view, 6> kMembers{"jsonrpc", "id", "method", "params", "for", "within_ms"};
  for (const auto& [name, value] : *message.as_object()) {
    if (std::ranges::find(kMembers, name) == kMembers.end())
      return Error(Code::Malformed,
                   "unknown member \"" + base::printable(name, 64) + "\", expected jsonrpc, id, method, params, for, within_ms");
    if ((name == "method" || name == "for") && !value.is_string())
      return Error(Code::Malformed, "member " + name + " is " + std::string(value.kind()) + ", expected a text");
  }
  return {};
}

Result<Json> read_id(const Json& message) {
  const auto* id = message.find("id");
  if (id == nullptr) return Error(Code::Malformed, "no id: notifications are not answered, so they are not taken");
  const auto* text = id->as_string();
  if (text != nullptr && text->size() > kMaxIdBytes) return Error(Code::TooLarge, "id of more than 256 octets");
  if (text == nullptr && id->as_integer() == nullptr && !id->is_null()) {
    return Error(Code::Malformed, "id is " + std::string(id->kind()) + ", expected a text or an integer");
  }
  return *id;
}

Result<std::optional<Milliseconds>> read_within(const Json& message) {
  const auto* value = message.find("within_ms");
  if (value == nullptr) return std::optional<Milliseconds>();
  const auto* count = value->as_integer();
  if (count != nullptr && *count >= 1 && *count <= kMostWithinMs) return std::optional(Milliseconds{*count});
  return Error(Code::Malformed, "member within_ms is " +
                                    (count == nullptr ? std::string(value->kind()) : std::to_string(*count)) +
                                    ", expected a number from 1 to " + std::to_string(kMostWithinMs));
}

/// Messages are written around what they carry: it may be large, and a value of its own would be a copy.
std::string begin_message(const Json& id) { return R"({"jsonrpc":"2.0","id":)" + to_text(id); }

Milliseconds left_until(std::chrono::steady_clock::time_point deadline) {
  return std::max(Milliseconds{0}, std::chrono::duration_cast<Milliseconds>(deadline - std::chrono::steady_clock::now()));
}

}  // namespace

Result<Request> decode_request(std::string_view line) {
  if (line.size() > kMaxLineBytes)
    return Error(Code::TooLarge, "request of more than " + std::to_string(kMaxLineBytes) + " octets");
  PKI_TRY(auto message, parse_json(line));
  if (!message.is_object()) return Error(Code::Malformed, "request is " + std::string(message.kind()) + ", expected an object");
  PKI_TRY_VOID(check_version(message));
  Request request;
  PKI_TRY(request.id, read_id(message));
  PKI_TRY_VOID(check_members(message));
  request.method = message.text("method");
  request.params = message.take("params");
  request.acting_for = message.text("for");
  if (request.method.empty() || request.method.size() > kMaxMethodBytes)
    return Error(Code::Malformed, "member method is missing or no text of 1 to 64 octets");
  if (request.acting_for.size() > kMaxActingForBytes) return Error(Code::TooLarge, "member for of more than 128 octets");
  if (request.params.is_null()) request.params = Json::object();
  PKI_TRY(request.within, read_within(message));
  return request;
}

std::string encode_request(const Request& request) {
  return encode_call({request.id, request.method, request.params, request.acting_for, request.within});
}

std::string encode_call(const Asked& asked) {
  auto text = begin_message(asked.id) + R"(,"method":)" + to_text(Json(asked.method)) + R"(,"params":)" + to_text(asked.params);
  if (!asked.acting_for.empty()) text += R"(,"for":)" + to_text(Json(asked.acting_for));
  if (asked.within) text += R"(,"within_ms":)" + std::to_string(asked.within->count());
  return text + "}";
}

std::string encode_result(const Json& id, const Json& result) {
  return begin_message(id) + R"(,"result":)" + to_text(result) + "}";
}

std::string encode_error(const Json& id, const Error& error) {
  const auto& row = base::describe(error.code());
  auto data = Json::object({{"code", row.text}});
  if (!error.hint().empty()) data.set("hint", error.hint());
  auto body = Json::object({{"code", row.number}, {"message", error.message()}, {"data", std::move(data)}});
  return to_text(Json::object({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(body)}}));
}

Result<Reply> decode_reply(std::string_view line) {
  PKI_TRY(auto message, parse_json(line));
  if (!message.is_object()) return Error(Code::Malformed, "reply is " + std::string(message.kind()) + ", expected an object");
  PKI_TRY_VOID(check_version(message));
  Reply reply;
  reply.id = message.take("id");
  const auto* result = message.find("result");
  const auto* error = message.find("error");
  if ((result == nullptr) == (error == nullptr)) return Error(Code::Malformed, "reply without exactly one of result and error");
  if (result != nullptr) {
    reply.result = message.take("result");
    return reply;
  }
  const auto* data = error->find("data");
  const auto code = data == nullptr ? std::nullopt : base::code_from_text(data->text("code"));
  reply.error.emplace(code.value_or(Code::Internal), error->text("message", "error without a message"),
                      data == nullptr ? "" : data->text("hint"));
  return reply;
}

Result<std::string> LineReader::next(Milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      const auto all = buffer_.size();
      buffer_.erase(0, end + 1);
      buffer_.resize(all);  // zeros over what the line has left behind: it may hold a secret
      buffer_.resize(all - end - 1);
      scanned_ = 0;
      if (line.ends_with('\r')) line.pop_back();
      if (line.size() > max_line_) return Error(Code::TooLarge, "line of more than " + std::to_string(max_line_) + " octets");
      return line;
    }
    scanned_ = buffer_.size();
    if (buffer_.size() > max_line_) return Error(Code::TooLarge, "line of more than " + std::to_string(max_line_) + " octets");
    PKI_TRY_VOID(base::wait_readable(fd_, left_until(deadline)));
    const auto before = buffer_.size();
    const auto room = std::max(kFirstRead, before);
    buffer_.resize(before + room);
    const auto got = ::recv(fd_, buffer_.data() + before, room, MSG_DONTWAIT);
    const int number = errno;
    buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && number == ECONNRESET)) {
      if (buffer_.empty()) return Error(Code::Closed, "the peer closed the connection");
      return Error(Code::Malformed, "the peer closed the connection in the middle of a line");
    }
    if (got < 0 && number != EINTR && number != EAGAIN) return base::io_error("read", number);
  }
}

Status write_line(int fd, std::string_view line, Milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::string whole(line);
  whole += '\n';
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto wrote = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote > 0) {
      rest.remove_prefix(static_cast<std::size_t>(wrote));
      continue;
    }
    if (errno == EPIPE || errno == ECONNRESET) return Error(Code::Closed, "the peer closed the connection");
    if (errno != EAGAIN && errno != EINTR) return base::io_error("write", errno);
    if (left_until(deadline) == Milliseconds{0}) return Error(Code::Timeout, "the peer does not read");
    PKI_TRY_VOID(base::wait_writable(fd, left_until(deadline)));
  }
  return {};
}

}  // namespace chancery::wire
