#include "clients/zmq/broker.h"

#include <array>
#include <utility>
#include <vector>

namespace chancery::zmq_gateway {
namespace {

/// The rest of a message, frame by frame.
void pass_on(zmq::socket_t& from, zmq::socket_t& to) {
  zmq::message_t frame;
  do {
    (void)from.recv(frame);
    const auto more = frame.more() ? zmq::send_flags::sndmore : zmq::send_flags::none;
    to.send(frame, more);
    if (more == zmq::send_flags::none) return;
  } while (true);
}

/// A thread's word: an empty frame alone is no answer to anybody, but its report for work.
void take_answer(zmq::socket_t& inner, zmq::socket_t& outer) {
  zmq::message_t first;
  (void)inner.recv(first);
  if (!first.more()) return;
  outer.send(first, zmq::send_flags::sndmore);
  pass_on(inner, outer);
}

}  // namespace

void hand_out(zmq::socket_t& outer, zmq::socket_t& inner) {
  std::vector<zmq::message_t> idle;  // the threads' names; the latest one has its session and its caches warm
  for (;;) {
    std::array<zmq::pollitem_t, 2> waiting{{{inner.handle(), 0, ZMQ_POLLIN, 0}, {outer.handle(), 0, ZMQ_POLLIN, 0}}};
    zmq::poll(waiting.data(), idle.empty() ? 1 : 2, std::chrono::milliseconds{-1});
    if (waiting[0].revents != 0) {
      zmq::message_t thread;
      (void)inner.recv(thread);
      idle.push_back(std::move(thread));
      take_answer(inner, outer);
    } else if (waiting[1].revents != 0) {
      inner.send(idle.back(), zmq::send_flags::sndmore);
      idle.pop_back();
      pass_on(outer, inner);
    }
  }
}

void report_for_work(zmq::socket_t& socket) { socket.send(zmq::message_t(), zmq::send_flags::none); }

}  // namespace chancery::zmq_gateway
