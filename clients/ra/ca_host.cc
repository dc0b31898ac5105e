#include "clients/ra/ca_host.h"

#include <cerrno>
#include <optional>
#include <utility>
#include <zmq.hpp>

#include "clients/zmq/curve_key.h"
#include "clients/zmq/zmtp.h"
#include "server/base/address.h"
#include "server/base/text.h"
#include "server/base/z85.h"
#include "server/wire/message.h"

namespace chancery::ra {
namespace {

constexpr int kMostAnswers = 2;  ///< that wait to be read: a CA that sends what nobody asked for fills nothing
constexpr int kSendMs = 3000;    ///< until the connection stands
constexpr int kUnacknowledgedMs = 10'000;
constexpr std::size_t kMaxShown = 512;
constexpr std::int64_t kMaxAnswerBytes = wire::kMaxReplyBytes;

bool is_this_machine(const std::string& host) { return host == "localhost" || base::is_loopback(host); }

/// An IPv6 literal stands in brackets.
std::string address_of(const std::string& host, int port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return "tcp://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

void set_options(zmq::socket_t& socket, bool is_v6) {
  socket.set(zmq::sockopt::ipv6, is_v6 ? 1 : 0);
  socket.set(zmq::sockopt::immediate, 1);  // a question waits for a connection that stands, not in a queue
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvhwm, kMostAnswers);
  socket.set(zmq::sockopt::sndtimeo, kSendMs);
  socket.set(zmq::sockopt::tcp_maxrt, kUnacknowledgedMs);
  socket.set(zmq::sockopt::maxmsgsize, kMaxAnswerBytes);
}

Result<Json> read_answer(const std::string& text) {
  const auto answer = wire::parse_json(text);
  if (!answer.ok()) return Error(Code::Malformed, "the CA's answer is no JSON: " + answer.error().message());
  const auto event = answer->text("EVENT");
  if (event == "UPKI ERROR") return Error(Code::Denied, base::printable(answer->text("MSG"), kMaxShown));
  const auto* data = answer->find("DATA");
  if (event != "ANSWER" || data == nullptr) return Error(Code::Malformed, "the CA's answer has no EVENT of uPKI's, or no DATA");
  return *data;
}

/// A signal may come to any thread. @return whether it was done before its time was over.
template <class Step>
bool patiently(const Step& step) {
  for (;;) {
    try {
      return static_cast<bool>(step());
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
    }
  }
}

}  // namespace

struct Keys {
  zmq::context_t context{1};
  std::optional<zmq_gateway::KeyPair> own;  ///< none: without CURVE
};

struct Link::Socket {
  std::shared_ptr<Keys> keys;  ///< of the context, which must outlive the socket
  zmq::socket_t socket;
  std::string address;
  bool is_usable = true;
};

Link::Link(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Link::Link(Link&&) noexcept = default;
Link::~Link() = default;
bool Link::is_usable() const { return socket_->is_usable; }

Result<Json> Link::ask(std::string_view task, const Json& params, std::chrono::milliseconds limit) {
  const auto question = wire::to_text(Json::object({{"TASK", task}, {"params", params}}));
  if (question.size() > zmq_gateway::kMaxMessageBytes)
    return Error(Code::TooLarge, "a request of " + std::to_string(question.size()) + " octets, the CA's ports take " +
                                     std::to_string(zmq_gateway::kMaxMessageBytes));
  if (!is_usable()) return Error(Code::Closed, "the connection to the CA at " + socket_->address + " was given up");
  auto& socket = socket_->socket;
  socket_->is_usable = false;  // libzmq does not connect anew where the handshake was refused
  if (!patiently([&] { return socket.send(zmq::buffer(question), zmq::send_flags::none); }))
    return Error(Code::Unavailable, "no connection to the CA at " + socket_->address,
                 "chancery-zmq --probe says what keeps it: nobody listens, or the keys are not known there");
  socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(limit.count()));
  zmq::message_t answer;
  if (!patiently([&] { return socket.recv(answer); }))
    return Error(Code::Timeout,
                 "no answer from the CA at " + socket_->address + " within " + std::to_string(limit.count()) + " ms");
  if (answer.more()) return Error(Code::Malformed, "the CA at " + socket_->address + " answers in several frames, expected one");
  socket_->is_usable = true;
  return read_answer(answer.to_string());
}

Result<CaHost> CaHost::find(const http::RemoteCa& ca) {
  auto keys = std::make_shared<Keys>();
  if (ca.server_key.empty() && !is_this_machine(ca.host)) {
    return Error(Code::BadConfig,
                 "the CA host " + ca.host +
                     " is not this machine, and no server key is given: what passes without CURVE, a "
                     "private key among it, can be read on its way",
                 "UPKI_CA_CURVE_KEY is the key that chancery-zmq logs when it starts to serve");
  }
  if (ca.server_key.empty()) return CaHost(ca, std::move(keys));
  if (!base::is_curve_key(ca.server_key))
    return Error(Code::BadConfig, "the CA's server key is no CURVE key of 40 characters in Z85");
  PKI_TRY(keys->own, zmq_gateway::read_key_file(ca.key_file));
  return CaHost(ca, std::move(keys));
}

Result<Link> CaHost::link(int port) const {
  auto& context = keys_->context;
  auto made = std::make_unique<Link::Socket>(
      Link::Socket{keys_, zmq::socket_t(context, zmq::socket_type::req), address_of(ca_.host, port)});
  set_options(made->socket, ca_.host.find(':') != std::string::npos);
  if (keys_->own) {
    made->socket.set(zmq::sockopt::curve_serverkey, ca_.server_key);
    made->socket.set(zmq::sockopt::curve_publickey, keys_->own->public_key);
    made->socket.set(zmq::sockopt::curve_secretkey, std::string(base::as_text(keys_->own->secret_key.view())));
  }
  try {
    made->socket.connect(made->address);
  } catch (const zmq::error_t& failure) {
    return Error(Code::BadConfig, "the CA's address " + base::printable(made->address) + ": " + failure.what());
  }
  return Link(std::move(made));
}

}  // namespace chancery::ra
