#include "clients/zmq/broker.h"

#include <array>
#include <utility>

namespace chancery::zmq_gateway {
namespace {

/// A thread's word: an empty frame alone is no answer to anybody, but its report for work. @return the thread's name.
zmq::message_t take_answer(zmq::socket_t& inner, zmq::socket_t& outer) {
  auto frames = receive(inner);
  auto thread = std::move(frames.front());
  frames.erase(frames.begin());
  if (frames.size() > 1) send(outer, frames);
  return thread;
}

}  // namespace

Frames receive(zmq::socket_t& socket) {
  Frames frames;
  do {
    (void)socket.recv(frames.emplace_back());
  } while (frames.back().more());
  return frames;
}

void send(zmq::socket_t& socket, Frames& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i)
    socket.send(frames[i], i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

void hand_out(zmq::socket_t& outer, zmq::socket_t& inner, const Intake& intake) {
  std::vector<zmq::message_t> idle;  // the threads' names; the latest one has its session and its caches warm
  for (;;) {
    std::array<zmq::pollitem_t, 2> waiting{{{inner.handle(), 0, ZMQ_POLLIN, 0}, {outer.handle(), 0, ZMQ_POLLIN, 0}}};
    zmq::poll(waiting.data(), idle.empty() ? 1 : 2, std::chrono::milliseconds{-1});
    if (waiting[0].revents != 0) {
      idle.push_back(take_answer(inner, outer));
    } else if (waiting[1].revents != 0) {
      auto request = receive(outer);
      if (intake && !intake(outer, request)) continue;
      inner.send(idle.back(), zmq::send_flags::sndmore);
      idle.pop_back();
      send(inner, request);
    }
  }
}

void report_for_work(zmq::socket_t& socket) { socket.send(zmq::message_t(), zmq::send_flags::none); }

}  // namespace chancery::zmq_gateway
