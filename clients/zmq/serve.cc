#include "clients/zmq/serve.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "clients/lib/complaints.h"
#include "clients/zmq/backend.h"
#include "clients/zmq/broker.h"
#include "clients/zmq/curve_door.h"
#include "clients/zmq/curve_key.h"
#include "clients/zmq/guard.h"
#include "clients/zmq/seed_limit.h"
#include "clients/zmq/tasks.h"
#include "clients/zmq/thread.h"
#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/process.h"

namespace chancery::zmq_gateway {
namespace {

constexpr int kThreadsPerDoor = 4;  ///< so that one slow key pair does not stall the others
constexpr std::int64_t kMaxFrameBytes = kMaxMessageBytes;
constexpr int kHandshakeMs = 2000;
constexpr int kHighWater = 100;
constexpr int kBacklog = 256;
constexpr std::size_t kInsideNameBytes = 16;

client::Complaints& complaints() {
  static client::Complaints all;
  return all;
}

/// One line for the first refusal of a kind, whatever the client's text is.
void complain_about(const Reply& reply, const std::string& realm) {
  static std::atomic<std::uint64_t> count{0};
  const auto& why = *reply.refusal;
  const bool is_ours = why.code() == Code::Io || why.code() == Code::StoreFailed || why.code() == Code::Internal;
  const auto known = reply.task.empty() || why.code() == Code::UnknownMethod ? "request" : "task " + reply.task;
  complaints().log(is_ours ? base::LogLevel::Warning : base::LogLevel::Info,
                   known + " " + std::string(base::describe(why.code()).text), {realm, "zmq", std::to_string(++count)},
                   known + " refused: " + failure_text(why));
}

/// A request as it comes from the broker: the ticket, libzmq's name of the connection, the peer's address, the envelope with its
/// empty frame, the request. The guard lets nothing else through.
struct Question {
  std::vector<zmq::message_t> envelope;  ///< what goes before the answer
  Ticket ticket;
  std::string peer;
  zmq::message_t request;
};

Question read_question(zmq::socket_t& socket) {
  constexpr std::size_t kLeastFrames = 5;
  constexpr std::size_t kMostFrames = kLeastFrames + kMaxParts;
  Question question;
  auto& frames = question.envelope;
  do {
    PKI_CHECK(frames.size() < kMostFrames && socket.recv(frames.emplace_back()));
  } while (frames.back().more());
  PKI_CHECK(frames.size() >= kLeastFrames);
  question.request = std::move(frames.back());
  frames.pop_back();
  question.ticket = ticket_in(frames[0]);
  question.peer = frames[2].to_string();
  frames.erase(frames.begin() + 2);
  frames.erase(frames.begin());
  return question;
}

/// A DEALER, since a REP would hide the peer's address, which lies before the empty frame.
void answer_requests(zmq::context_t& context, const std::string& inner, SocketBackend& backend, Port port) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(inner);
  report_for_work(socket);
  for (;;) {
    auto question = read_question(socket);
    const auto& request = question.request;
    backend.set_asker({std::move(question.peer), question.ticket});
    const auto reply = handle(backend, port, {static_cast<const char*>(request.data()), request.size()});
    if (reply.refusal) complain_about(reply, backend.realm());
    for (auto& frame : question.envelope) socket.send(frame, zmq::send_flags::sndmore);
    socket.send(zmq::buffer(reply.text), zmq::send_flags::none);
  }
}

/// As many peers of one port as there are descriptors for: libzmq spins when it cannot accept what has connected.
GuardLimits guard_limits(const Settings& settings) {
  constexpr std::size_t kDescriptorsOfADoor = 32;  // threads, their sessions, what wakes them
  constexpr std::size_t kDescriptorsOfAPeer = 3;   // outside, and both ends inside
  constexpr std::size_t kLeastPeers = 2;
  const std::size_t ports = 2 * settings.endpoints.size();
  const auto has_key = [](const Endpoint& one) { return !one.server_key_file.empty(); };
  const auto doors = ports + 2 * static_cast<std::size_t>(std::ranges::count_if(settings.endpoints, has_key));
  GuardLimits limits;
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return limits;
  const auto all = static_cast<std::size_t>(descriptors.rlim_cur);
  const auto room = (all - std::min(all, kDescriptorsOfADoor * doors)) / (kDescriptorsOfAPeer * ports);
  limits.peers = std::clamp(room, kLeastPeers, limits.peers);
  return limits;
}

/// What the ports of one endpoint share.
struct Shared {
  const Settings& settings;
  const Endpoint& endpoint;
  std::shared_ptr<SeedLimit> seeds;  ///< register is on both ports
  std::shared_ptr<KeyPair> keys;     ///< none: no CURVE
};

/// A ROUTER that takes connections of this process alone, from the guard. @return its abstract Unix address.
std::string bind_inside(zmq::socket_t& outer) {
  auto inside = "chancery-zmq-" + base::to_hex(base::random_bytes(kInsideNameBytes));
  outer.set(zmq::sockopt::maxmsgsize, kMaxFrameBytes);
  outer.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  outer.set(zmq::sockopt::rcvhwm, kHighWater);
  outer.set(zmq::sockopt::sndhwm, kHighWater);
  outer.set(zmq::sockopt::linger, 0);
  outer.set(zmq::sockopt::backlog, kBacklog);
  const pid_t ourselves = ::getpid();
  PKI_CHECK(::zmq_setsockopt(outer.handle(), ZMQ_IPC_FILTER_PID, &ourselves, sizeof ourselves) == 0);
  outer.bind("ipc://@" + inside);
  return inside;
}

void start_workers(zmq::context_t& context, const std::string& inner_name, const Shared& shared, Port port) {
  for (int i = 0; i < kThreadsPerDoor; ++i) {
    start_thread("thread", [&context, inner_name, shared, port] {
      SocketBackend backend(shared.settings.socket, shared.settings.front_end, shared.endpoint, *shared.seeds);
      answer_requests(context, inner_name, backend, port);
    });
  }
}

/// One of libzmq's two sockets behind a guard: the ROUTER, an inproc ROUTER for the threads, and the broker between.
/// @return where the guard finds it.
std::string open_door(zmq::context_t& context, const Shared& shared, Port port, bool curve) {
  zmq::socket_t outer(context, zmq::socket_type::router);
  if (curve) {
    const std::string secret(base::as_text(shared.keys->secret_key.view()));
    outer.set(zmq::sockopt::curve_server, 1);
    outer.set(zmq::sockopt::curve_secretkey, secret);
    outer.set(zmq::sockopt::zap_domain, shared.endpoint.text());
  }
  auto inside = bind_inside(outer);
  const auto inner_name = "inproc://" + inside;
  zmq::socket_t inner(context, zmq::socket_type::router);
  inner.bind(inner_name);
  start_workers(context, inner_name, shared, port);
  start_thread("broker", [outside = std::move(outer), inner_end = std::move(inner), curve]() mutable {
    hand_out(outside, inner_end, curve ? Intake(take_curve) : Intake());
  });
  return inside;
}

Status serve_port(zmq::context_t& context, const Shared& shared, Port port, const GuardLimits& limits) {
  const auto& endpoint = shared.endpoint;
  const int number = endpoint.port + (port == Port::Registration ? 1 : 0);
  Doors doors{.without_curve = endpoint.without_curve};
  doors.null = open_door(context, shared, port, false);
  if (shared.keys) doors.curve = open_door(context, shared, port, true);
  PKI_TRY(auto guard, Guard::listen(endpoint.address, number, std::move(doors), limits));
  start_thread("guard", [held = std::move(guard)] { held->run(complaints()); });
  base::log_info("serves " + endpoint.address + " port " + std::to_string(number) + " for realm " + endpoint.realm +
                 (shared.keys ? ", CURVE key " + shared.keys->public_key : ""));
  return {};
}

Admitted admitted_keys(const Settings& settings) {
  Admitted admitted;
  for (const auto& endpoint : settings.endpoints)
    admitted[endpoint.text()].insert(endpoint.peer_keys.begin(), endpoint.peer_keys.end());
  return admitted;
}

}  // namespace

Status serve(const Settings& settings) {
  static zmq::context_t context(1);
  admit_keys(context, admitted_keys(settings), complaints());
  const auto limits = guard_limits(settings);
  for (const auto& endpoint : settings.endpoints) {
    Shared shared{settings, endpoint, std::make_shared<SeedLimit>(endpoint.wrong_seeds_per_minute), nullptr};
    if (!endpoint.server_key_file.empty()) {
      PKI_TRY(auto keys, read_key_file(endpoint.server_key_file));
      shared.keys = std::make_shared<KeyPair>(std::move(keys));
    }
    for (const auto port : {Port::Operations, Port::Registration}) PKI_TRY_VOID(serve_port(context, shared, port, limits));
  }
  return {};
}

}  // namespace chancery::zmq_gateway
