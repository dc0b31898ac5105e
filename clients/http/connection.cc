#include "clients/http/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "clients/http/admission.h"
#include "clients/http/tls.h"

namespace chancery::http {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLineEnd = "\r\n";
constexpr int kFirstRefusal = 400;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kLeastAnswerRate = 16 * 1024;  ///< octets a second that a reader of a large answer must manage

/// RFC 9110 5.6.7: IMF-fixdate.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

std::string encode_head(const Response& response, bool keep) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_phrase(response.status)) + "\r\n";
  head += "Date: " + http_date() + "\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  if (response.status != 204) head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  if (!keep) head += "Connection: close\r\n";
  return head + "\r\n";
}

std::string take(evbuffer* input, std::size_t count) {
  std::string text(count, '\0');
  ::evbuffer_remove(input, text.data(), count);
  return text;
}

}  // namespace

Connection::Connection(ConnectionHost& host, std::uint64_t id, const ListenerSettings& listener, event_base* base,
                       BufferEventPtr buffer, Peer peer, bool tls, const Deadlines& deadlines)
    : host_(host),
      id_(id),
      listener_(listener),
      group_(Admission::group_of(listener.name, peer.address)),
      peer_(std::move(peer)),
      tls_(tls),
      deadlines_(deadlines),
      timer_(base, [this] { on_deadline(); }),
      buffer_(std::move(buffer)) {
  const auto on_read = [](bufferevent*, void* self) { static_cast<Connection*>(self)->on_input(); };
  const auto on_write = [](bufferevent*, void* self) { static_cast<Connection*>(self)->on_written(); };
  const auto on_other = [](bufferevent*, short what, void* self) { static_cast<Connection*>(self)->on_event(what); };
  ::bufferevent_setcb(buffer_.get(), on_read, on_write, on_other, this);
  ::bufferevent_enable(buffer_.get(), EV_READ | EV_WRITE);
  tls ? enter(Phase::Handshake, deadlines_.handshake) : enter(Phase::Idle, deadlines_.head);
}

void Connection::enter(Phase phase, std::chrono::milliseconds limit) {
  phase_ = phase;
  phase_began_ = std::chrono::steady_clock::now();
  if (limit.count() > 0) {
    timer_.set(limit);
  } else {
    timer_.clear();
  }
}

void Connection::on_event(short what) {
  if ((what & BEV_EVENT_CONNECTED) != 0) {
    const auto* session = ::bufferevent_openssl_get_ssl(buffer_.get());
    peer_.tls = tls_version(session);
    auto shown = client_certificate(session);
    peer_.certificate = std::move(shown.pem);
    peer_.certificate_fault = std::move(shown.fault);
    return enter(Phase::Idle, deadlines_.head);
  }
  if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) == 0) return;
  if (phase_ == Phase::Handshake) return close_at_fault(Fault::Handshake);
  close();
}

void Connection::on_deadline() {
  if (phase_ == Phase::Head || phase_ == Phase::Body) {
    host_.charge(listener_, peer_, Fault::SlowRequest);
    constexpr std::string_view kLate = "the request did not arrive in time";
    return phase_ == Phase::Head ? refuse_head(408, kLate, begun()) : refuse(408, kLate);
  }
  if (phase_ == Phase::Handshake) return close_at_fault(Fault::SlowHandshake);
  if (phase_ == Phase::Idle && !was_served()) return close_at_fault(Fault::Silence);
  close();
}

void Connection::on_input() {
  if (phase_ == Phase::Idle || phase_ == Phase::Head) return read_head();
  if (phase_ == Phase::Body) return read_body();
  if (phase_ == Phase::Lingering) {
    evbuffer* input = ::bufferevent_get_input(buffer_.get());
    drained_ += ::evbuffer_get_length(input);
    ::evbuffer_drain(input, ::evbuffer_get_length(input));
    if (drained_ > deadlines_.most_drained) close();
  }
}

/// RFC 9112 2.2: an empty line in front of a request is passed over: one, as old clients send behind a body.
/// @return whether there is anything else.
bool Connection::pass_empty_line() {
  evbuffer* input = ::bufferevent_get_input(buffer_.get());
  std::array<char, kLineEnd.size()> start{};
  const auto count = ::evbuffer_copyout(input, start.data(), start.size());
  if (count <= 0) return false;
  const std::string_view text(start.data(), static_cast<std::size_t>(count));
  if (passed_empty_line_ || !kLineEnd.starts_with(text)) return true;
  if (text != kLineEnd) return false;  // its LF may come
  ::evbuffer_drain(input, kLineEnd.size());
  passed_empty_line_ = true;
  return ::evbuffer_get_length(input) > 0;
}

/// @return false: no request begins like that, and that was said.
bool Connection::begin_head() {
  request_began_ = std::chrono::steady_clock::now();
  enter(Phase::Head, deadlines_.head);
  passed_empty_line_ = false;
  match_ = Match{};
  match_.request.id = host_.next_request_id();
  unsigned char first = 0;
  ::evbuffer_copyout(::bufferevent_get_input(buffer_.get()), &first, 1);
  if (first > ' ' && first < 0x7f) return true;
  refuse_malformed(Error(Code::Malformed, "this is no HTTP request"), {});
  return false;
}

void Connection::read_head() {
  if (phase_ == Phase::Idle && (!pass_empty_line() || !begin_head())) return;
  evbuffer* input = ::bufferevent_get_input(buffer_.get());
  const auto length = ::evbuffer_get_length(input);
  const auto end = ::evbuffer_search(input, kHeadEnd.data(), kHeadEnd.size(), nullptr);
  const auto size = end.pos < 0 ? length : static_cast<std::size_t>(end.pos) + kHeadEnd.size();
  if (size > kMaxHeadBytes) return refuse_head(431, "request head above " + std::to_string(kMaxHeadBytes) + " octets", begun());
  if (end.pos >= 0) return begin_request(take(input, size));
  if (const auto checked = check_begun_head(begun()); !checked.ok()) refuse_malformed(checked.error(), begun());
}

/// What has come of a head, as long as it waits in the buffer.
std::string_view Connection::begun() {
  evbuffer* input = ::bufferevent_get_input(buffer_.get());
  const auto length = std::min(::evbuffer_get_length(input), kMaxHeadBytes);
  const auto* text = reinterpret_cast<const char*>(::evbuffer_pullup(input, static_cast<ev_ssize_t>(length)));
  return text == nullptr ? std::string_view() : std::string_view(text, length);
}

void Connection::begin_request(const std::string& text) {
  auto head = parse_head(text);
  ++requests_;
  if (!head.ok()) return refuse_malformed(head.error(), text);
  keep_alive_ = head->keep_alive;
  is_head_ = head->method == "HEAD";
  body_left_ = head->content_length;
  const auto body = head->body;
  const bool expects_continue = head->expects_continue;
  auto id = std::move(match_.request.id);
  match_ = host_.router().match(listener_, std::move(*head), peer_);
  match_.request.id = std::move(id);
  // The body behind a refused head is not read: the connection ends with the answer.
  if (match_.route == nullptr) return write(match_.refusal, keep_alive_ && body == BodyKind::None);
  if (body == BodyKind::None) return submit();
  begin_body(body, expects_continue);
}

void Connection::begin_body(BodyKind kind, bool expects_continue) {
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - request_began_);
  const auto by_rate = deadlines_.body_grace + std::chrono::seconds(body_left_ / deadlines_.least_bytes_per_second);
  const auto left = std::max(deadlines_.whole_request - spent, std::chrono::milliseconds{1});
  enter(Phase::Body, kind == BodyKind::Counted ? std::min(by_rate, left) : left);
  chunked_ = kind == BodyKind::Chunked ? std::make_unique<ChunkedBody>(match_.route->max_body) : nullptr;
  chunk_input_.clear();
  if (expects_continue) ::bufferevent_write(buffer_.get(), kContinue.data(), kContinue.size());
  read_body();
}

void Connection::read_body() {
  evbuffer* input = ::bufferevent_get_input(buffer_.get());
  const auto length = ::evbuffer_get_length(input);
  if (!chunked_) {
    const auto part = take(input, std::min(length, body_left_));
    match_.request.body += part;
    body_left_ -= part.size();
    if (body_left_ == 0) submit();
    return;
  }
  chunk_input_ += take(input, length);
  const auto complete = chunked_->feed(chunk_input_);
  if (!complete.ok()) return refuse(complete.error().code() == Code::TooLarge ? 413 : 400, complete.error().message());
  if (!*complete) return;
  match_.request.body = chunked_->take();
  ::evbuffer_prepend(input, chunk_input_.data(), chunk_input_.size());  // the next request's octets
  chunk_input_.clear();
  submit();
}

void Connection::submit() {
  ::bufferevent_disable(buffer_.get(), EV_READ);
  enter(Phase::Handling, std::chrono::milliseconds{0});
  auto body = std::exchange(match_.request.body, {});
  Match handed = match_;  // what was asked is wanted again for the answer
  handed.request.body = std::move(body);
  if (host_.handle(id_, std::move(handed))) return;
  write(host_.router().refuse(match_, 503, "too many requests wait already"), keep_alive_);
}

void Connection::answer(const Response& response) {
  if (phase_ == Phase::Handling) write(response, keep_alive_);
}

void Connection::refuse(int status, std::string_view detail) { write(host_.router().refuse(match_, status, detail), false); }

void Connection::refuse_head(int status, std::string_view detail, std::string_view begun) {
  write(host_.router().refuse_head(begun, status, detail), false);
}

void Connection::refuse_malformed(const Error& error, std::string_view begun) {
  host_.charge(listener_, peer_, Fault::Malformed);
  refuse_head(status_of_head_error(error), error.message(), begun);
}

void Connection::write(const Response& response, bool keep) {
  keep_alive_ = keep && !host_.stopping() && requests_ < deadlines_.most_requests;
  auto head = encode_head(response, keep_alive_);
  if (response.status >= kFirstRefusal) {
    host_.note_refusal(listener_, peer_, match_.request, response);
    head.insert(head.size() - kLineEnd.size(), "X-Request-Id: " + match_.request.id + std::string(kLineEnd));
  }
  ::bufferevent_disable(buffer_.get(), EV_READ);
  enter(Phase::Writing, deadlines_.write + std::chrono::seconds(response.body.size() / kLeastAnswerRate));
  evbuffer* output = ::bufferevent_get_output(buffer_.get());
  ::evbuffer_add(output, head.data(), head.size());
  if (!is_head_ && response.status != 204) ::evbuffer_add(output, response.body.data(), response.body.size());
}

void Connection::on_written() {
  if (phase_ != Phase::Writing || ::evbuffer_get_length(::bufferevent_get_output(buffer_.get())) > 0) return;
  if (!keep_alive_) return linger();
  is_head_ = false;
  enter(Phase::Idle, deadlines_.idle);
  ::bufferevent_enable(buffer_.get(), EV_READ);
  read_head();  // of a client that sends its next request before the answer
}

/// Closing with unread input makes the kernel send RST, which can destroy the answer on its way (RFC 9112 section 9.6).
void Connection::linger() {
  enter(Phase::Lingering, deadlines_.linger);
  if (tls_) say_goodbye(::bufferevent_openssl_get_ssl(buffer_.get()));
  ::shutdown(::bufferevent_getfd(buffer_.get()), SHUT_WR);
  ::bufferevent_enable(buffer_.get(), EV_READ);
  on_input();
}

void Connection::close_if_idle() {
  if (phase_ == Phase::Handshake || phase_ == Phase::Idle || phase_ == Phase::Lingering) close();
}

void Connection::close_at_fault(Fault fault) {
  host_.charge(listener_, peer_, fault);
  close();
}

void Connection::close() {
  if (phase_ == Phase::Closed) return;
  enter(Phase::Closed, std::chrono::milliseconds{0});
  ::bufferevent_disable(buffer_.get(), EV_READ | EV_WRITE);
  ::bufferevent_setcb(buffer_.get(), nullptr, nullptr, nullptr, nullptr);
  host_.bury(id_);
}

}  // namespace chancery::http
