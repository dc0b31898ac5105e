#include "clients/lib/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "clients/lib/repeat.h"

namespace chancery::client {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{1000};

/// What a server that restarts answers, or does not.
bool is_passing(Code code) { return code == Code::Closed || code == Code::Unavailable || code == Code::Busy; }

Result<base::UniqueFd> connect_to(const std::string& path) {
  auto connected = base::connect_unix(path);
  if (connected.ok()) return connected;
  return Error(connected.error().code(), connected.error().message(),
               "is chanceryd running, is this its socket, and does <socket> of chancery.xml let you in?");
}

}  // namespace

std::string default_socket() {
  const char* configured = std::getenv("CHANCERY_SOCKET");
  return configured != nullptr && *configured != '\0' ? configured : "/run/chancery/chanceryd.sock";
}

Client::Client(base::UniqueFd socket, Options options)
    : socket_(std::move(socket)),
      options_(std::move(options)),
      reader_(std::make_unique<wire::LineReader>(socket_.get(), wire::kMaxReplyBytes)) {}

Result<Client> Client::connect(const Options& options) {
  auto resolved = options;  // a connection made anew goes where this one went
  if (resolved.socket.empty()) resolved.socket = default_socket();
  PKI_TRY(auto socket, connect_to(resolved.socket));
  return Client(std::move(socket), std::move(resolved));
}

Result<Client> Client::connect_to_realm(const Options& options, std::string_view realm, std::string_view front_end) {
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(auto client, connect(options));
    const auto opened = client.open(realm, front_end);
    if (opened.ok()) return client;
    const bool unread = !client.connected() && says_connect_again(opened.error());
    if (!unread || attempt == kMostSessions) return opened.error();
  }
}

Client Client::adopt(base::UniqueFd socket, Options options) {
  Client client(std::move(socket), std::move(options));
  client.may_reconnect_ = false;
  return client;
}

Error Client::hang_up(const Error& why) {
  socket_.reset();
  return why;
}

Result<Json> Client::call(std::string_view method, const Json& params, std::string_view acting_for) {
  if (renews() && !is_usable()) PKI_TRY_VOID(reconnect());
  auto answer = exchange(method, params, acting_for);
  // Once only: a request that ends two connections is not met by a restart.
  const bool may_repeat = !answer.ok() && (says_connect_again(answer.error()) ||
                                           (is_passing(answer.error().code()) && is_repeatable(method, params)));
  if (may_repeat && !connected() && renews()) {
    PKI_TRY_VOID(reconnect());
    answer = exchange(method, params, acting_for);
  }
  if (answer.ok()) note_session(method, params);
  return answer;
}

Result<Json> Client::exchange(std::string_view method, const Json& params, std::string_view acting_for) {
  if (!connected()) return Error(Code::Closed, "the connection to the server has ended", std::string(wire::kConnectAgain));
  const Json id(++last_id_);
  const auto text = wire::encode_call({id, method, params, acting_for, within_});
  const auto sent = wire::write_line(socket_.get(), text, options_.request_timeout);
  // A server that hangs up says why first; its last line is still there to be read.
  if (!sent.ok() && sent.error().code() != Code::Closed) return hang_up(sent.error());
  if (const auto waited = wait_for_answer(); !waited.ok()) return hang_up(waited.error());
  const auto line = reader_->next(options_.request_timeout);
  if (!line.ok()) return hang_up(line.error());
  auto reply = wire::decode_reply(*line);
  if (!reply.ok()) return hang_up(reply.error().within("the server's reply"));
  if (reply->id.is_null() && reply->error) return hang_up(*reply->error);
  if (reply->id != id) return hang_up(Error(Code::Malformed, "the server's reply answers another request"));
  if (reply->error) return *reply->error;
  return std::move(*reply->result);
}

/// Until something can be read; nothing is waited for here without an asker, or behind one who is gone.
Status Client::wait_for_answer() {
  if (asker_ < 0) return {};
  std::array<pollfd, 2> waiting{{{socket_.get(), POLLIN, 0}, {asker_, 0, 0}}};
  const auto limit = options_.request_timeout.count();
  int ready = 0;
  while ((ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(limit))) < 0 && errno == EINTR) {
  }
  if (ready == 0) return Error(Code::Timeout, "no answer within " + std::to_string(limit) + " ms");
  if (waiting[0].revents != 0) return {};
  return Error(Code::Closed, "whoever asked has gone");
}

void Client::note_session(std::string_view method, const Json& params) {
  if (method == "session.open") session_ = params;
  if (method == "session.login" || method == "session.close") may_reconnect_ = false;
}

/// Between calls the server sends nothing but its last words and the end.
bool Client::is_usable() const {
  char octet = 0;
  return connected() && ::recv(socket_.get(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

Status Client::reconnect() {
  if (!may_reconnect_)
    return Error(Code::Closed, "this session cannot be opened anew", "connect again; after session.login, log in again");
  const auto deadline = std::chrono::steady_clock::now() + options_.reconnect_for;
  auto pause = kFirstPause;
  for (;;) {
    auto done = reconnect_once();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (done.ok() || !is_passing(done.error().code()) || left.count() <= 0) return done;
    std::this_thread::sleep_for(std::min(pause, left));
    pause = std::min(pause * 2, kLongestPause);
  }
}

Status Client::reconnect_once() {
  socket_.reset();
  PKI_TRY(socket_, connect_to(options_.socket));
  reader_ = std::make_unique<wire::LineReader>(socket_.get(), wire::kMaxReplyBytes);
  if (!session_) return {};
  const auto opened = exchange("session.open", *session_, {});
  return opened.ok() ? Status() : hang_up(opened.error());
}

Result<Json> Client::login(const Login& who) {
  auto params = Json::object({{"stack", who.stack}});
  for (const auto& [name, value] :
       {std::pair("user", who.user), std::pair("password", who.password), std::pair("token", who.token)}) {
    if (!value.empty()) params.set(name, value);
  }
  return call("session.login", std::move(params));
}

Result<Json> Client::open(std::string_view realm, std::string_view front_end) {
  auto params = Json::object();
  if (!realm.empty()) params.set("realm", realm);
  if (!front_end.empty()) params.set("front_end", front_end);
  return call("session.open", std::move(params));
}

}  // namespace chancery::client
