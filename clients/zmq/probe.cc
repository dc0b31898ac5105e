#include "clients/zmq/probe.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <zmq.hpp>

#include "clients/zmq/curve_key.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/base/z85.h"
#include "server/wire/json.h"

namespace chancery::zmq_gateway {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};
constexpr const char* kMonitor = "inproc://probe";

/// What libzmq tells about the connection, and what that means for who asks.
struct Event {
  std::uint16_t number;
  const char* text;
  bool is_end;
};
constexpr std::array kEvents{
    Event{ZMQ_EVENT_CONNECTED, "connected", false},
    Event{ZMQ_EVENT_HANDSHAKE_SUCCEEDED, "the handshake is done", false},
    Event{ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, "the server does not know the client's key: a <peer> of <zmq-peers> lets it in", true},
    Event{ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
          "the server speaks no CURVE here, or wants it: it needs a server-key-file, the client --server-key and --key", true},
    Event{ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "the handshake failed: --server-key is not that server's, or it turned away",
          true},
    Event{ZMQ_EVENT_DISCONNECTED, "the server ended the connection: --server-key is not that server's, or it turned away", true},
    Event{ZMQ_EVENT_CONNECT_RETRIED, "nobody listens there", true},
};

Status set_keys(zmq::socket_t& socket, const Probe& probe) {
  if (probe.server_key.empty() && probe.key_file.empty()) return {};
  if (!base::is_curve_key(probe.server_key))
    return Error(Code::InvalidParams, "--server-key is no CURVE key of 40 characters in Z85");
  if (probe.key_file.empty())
    return Error(Code::InvalidParams, "--server-key without --key", "chancery zmq-key --out FILE makes one");
  PKI_TRY(const auto keys, read_key_file(probe.key_file));
  socket.set(zmq::sockopt::curve_serverkey, probe.server_key);
  socket.set(zmq::sockopt::curve_publickey, keys.public_key);
  socket.set(zmq::sockopt::curve_secretkey, std::string(base::as_text(keys.secret_key.view())));
  std::printf("as the client of key %s\n", keys.public_key.c_str());
  return {};
}

/// @errors Unavailable: the connection came to an end.
Status tell(zmq::socket_t& monitor) {
  zmq::message_t event;
  zmq::message_t address;
  PKI_CHECK(monitor.recv(event) && monitor.recv(address));
  std::uint16_t number = 0;
  std::memcpy(&number, event.data(), sizeof number);
  for (const auto& one : kEvents) {
    if (one.number != number) continue;
    if (one.is_end) return Error(Code::Unavailable, one.text);
    std::printf("%s\n", one.text);
  }
  return {};
}

/// "tcp://ca.example.com:5001" with the port below; empty: no address of that shape.
std::string port_below(const std::string& address) {
  const auto colon = address.rfind(':');
  int port = 0;
  const auto* digits = address.data() + colon + 1;
  const auto [end, failure] = std::from_chars(digits, address.data() + address.size(), port);
  if (colon == std::string::npos || failure != std::errc() || end != address.data() + address.size() || port < 2) return {};
  return address.substr(0, colon + 1) + std::to_string(port - 1);
}

/// A task of operations that nobody knows there: the port is the other one.
Error registration_port(const Probe& probe) {
  const auto below = port_below(probe.address);
  return {Code::Denied, "this is the registration port, which knows register and status alone",
          "operations are one port below" + (below.empty() ? "" : ", at " + below) + "; that one is meant"};
}

Status tell_answer(const Probe& probe, const std::string& text) {
  PKI_TRY(const auto answer, wire::parse_json(text));
  const auto said = answer.text("MSG");
  if (answer.text("EVENT") != "UPKI ERROR") {
    std::printf("answered\n");
    return {};
  }
  if (probe.task == Probe{}.task && said.find("Unknown task") != std::string::npos) return registration_port(probe);
  return Error(Code::Denied, "refused: " + base::printable(said, 512));
}

Status watch(const Probe& probe, zmq::socket_t& socket, zmq::socket_t& monitor) {
  for (const auto end = Clock::now() + kPatience; Clock::now() < end;) {
    std::array<zmq::pollitem_t, 2> waiting{{{socket.handle(), 0, ZMQ_POLLIN, 0}, {monitor.handle(), 0, ZMQ_POLLIN, 0}}};
    zmq::poll(waiting.data(), waiting.size(), std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
    if ((waiting[1].revents & ZMQ_POLLIN) != 0) PKI_TRY_VOID(tell(monitor));
    if ((waiting[0].revents & ZMQ_POLLIN) == 0) continue;
    zmq::message_t answer;
    PKI_CHECK(socket.recv(answer));
    return tell_answer(probe, answer.to_string());
  }
  return Error(Code::Timeout, "no answer within " + std::to_string(kPatience.count()) + " s");
}

Status run(const Probe& probe) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::req);
  socket.set(zmq::sockopt::linger, 0);
  PKI_TRY_VOID(set_keys(socket, probe));
  zmq::socket_t monitor(context, zmq::socket_type::pair);
  PKI_CHECK(::zmq_socket_monitor(socket.handle(), kMonitor, ZMQ_EVENT_ALL) == 0);
  monitor.connect(kMonitor);
  try {
    socket.connect(probe.address);
  } catch (const zmq::error_t& failure) {
    return Error(Code::InvalidParams, probe.address + ": " + failure.what(), "expected tcp://HOST:PORT");
  }
  const auto request = wire::to_text(Json::object({{"TASK", probe.task}, {"params", Json::object()}}));
  socket.send(zmq::buffer(request), zmq::send_flags::none);
  return watch(probe, socket, monitor);
}

}  // namespace

int run_probe(const Probe& probe) {
  const auto done = run(probe);
  std::fflush(stdout);
  if (done.ok()) return base::to_int(base::Exit::Ok);
  std::fprintf(stderr, "chancery-zmq: %s: %s\n", probe.address.c_str(), base::to_line(done.error()).c_str());
  return base::describe(done.error().code()).exit_status;
}

}  // namespace chancery::zmq_gateway
