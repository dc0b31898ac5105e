#include "clients/zmq/door.h"

#include <unistd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "clients/zmq/curve_door.h"
#include "clients/zmq/thread.h"
#include "clients/zmq/zmtp.h"
#include "server/base/bytes.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::int64_t kMaxFrameBytes = kMaxMessageBytes;
constexpr int kHandshakeMs = 2000;
constexpr int kHighWater = 100;
constexpr int kBacklog = 256;
constexpr std::size_t kInsideNameBytes = 16;

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
void answer_requests(zmq::context_t& context, const std::string& inner, const Answerer& answer) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(inner);
  report_for_work(socket);
  for (;;) {
    auto question = read_question(socket);
    const auto text = answer({question.ticket, std::move(question.peer), question.request.to_string_view()});
    for (auto& frame : question.envelope) socket.send(frame, zmq::send_flags::sndmore);
    socket.send(zmq::buffer(text), zmq::send_flags::none);
  }
}

/// A ROUTER that takes connections of this process alone, from the guard. @return its abstract Unix address.
std::string bind_inside(zmq::socket_t& outer, const std::string& program) {
  auto inside = program + "-" + base::to_hex(base::random_bytes(kInsideNameBytes));
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

}  // namespace

std::string open_door(zmq::context_t& context, const DoorPlan& plan) {
  zmq::socket_t outer(context, zmq::socket_type::router);
  if (plan.keys != nullptr) {
    const std::string secret(base::as_text(plan.keys->secret_key.view()));
    outer.set(zmq::sockopt::curve_server, 1);
    outer.set(zmq::sockopt::curve_secretkey, secret);
    outer.set(zmq::sockopt::zap_domain, plan.zap_domain);
  }
  auto inside = bind_inside(outer, plan.program);
  const auto inner_name = "inproc://" + inside;
  zmq::socket_t inner(context, zmq::socket_type::router);
  inner.bind(inner_name);
  for (int i = 0; i < plan.threads; ++i) {
    start_thread("thread", [&context, inner_name, make = plan.make_answerer] { answer_requests(context, inner_name, make()); });
  }
  auto manner = plan.manner;
  if (plan.keys != nullptr) {
    manner.intake = [plain = plan.manner](zmq::socket_t& from, Frames& request) { return take_curve(from, request, plain); };
  }
  start_thread("broker", [outside = std::move(outer), inner_end = std::move(inner), manner = std::move(manner)]() mutable {
    hand_out(outside, inner_end, manner);
  });
  return inside;
}

}  // namespace chancery::zmq_gateway
