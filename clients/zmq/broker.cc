#include "clients/zmq/broker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <numeric>
#include <utility>

#include "clients/zmq/dialect.h"

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

/// libzmq has deprecated the number (it was meant for getpeername), and has nothing else that tells one peer from another: inside
/// CURVE the guard cannot put in a mark.
int descriptor_of(const zmq::message_t& frame) { return ::zmq_msg_get(frame.handle(), ZMQ_SRCFD); }

/// The requests that no thread has taken yet, the oldest first.
class Queue {
 public:
  Queue(zmq::socket_t& outer, const Manner& manner)
      : outer_(outer),
        manner_(manner),
        overload_(manner.refuse(Error(Code::Busy, "the server is overloaded: nothing was done, try again shortly"))) {}

  /// One request; at once, so that its time counts from its arrival and not from when a thread is free.
  void take_in() {
    auto frames = receive(outer_);
    const Ticket ticket{std::chrono::steady_clock::now(), descriptor_of(frames.back())};
    if (manner_.intake && !manner_.intake(outer_, frames)) return;
    Waiting one{ticket, octets_in(frames), std::move(frames)};
    if (!has_room_for(one)) forget_gone_ones();
    if (!has_room_for(one)) return turn_away(one);
    octets_ += one.octets;
    waiting_.push_back(std::move(one));
  }

  /// Until the oldest one has waited long enough; negative: none waits.
  std::chrono::milliseconds time_left() const {
    if (waiting_.empty()) return std::chrono::milliseconds{-1};
    const auto left = waiting_.front().ticket.arrived + manner_.waiting_limit - std::chrono::steady_clock::now();
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds{0});
  }

  void turn_away_late_ones() {
    while (!waiting_.empty() && time_left() == std::chrono::milliseconds{0}) {
      auto late = take_oldest();
      turn_away(late);
    }
  }

  /// The oldest one that somebody still waits for. @return whether there is one.
  bool hand_to(zmq::socket_t& inner, zmq::message_t& thread) {
    while (!waiting_.empty() && is_gone(waiting_.front().ticket.asker)) take_oldest();
    if (waiting_.empty()) return false;
    auto next = take_oldest();
    inner.send(thread, zmq::send_flags::sndmore);
    inner.send(zmq::message_t(&next.ticket, sizeof next.ticket), zmq::send_flags::sndmore);
    send(inner, next.frames);
    return true;
  }

 private:
  struct Waiting {
    Ticket ticket;
    std::size_t octets = 0;
    Frames frames;
  };

  static std::size_t octets_in(const Frames& frames) {
    return std::accumulate(frames.begin(), frames.end(), std::size_t{0},
                           [](std::size_t sum, const zmq::message_t& one) { return sum + one.size(); });
  }
  bool has_room_for(const Waiting& one) const {
    return waiting_.size() < kMostWaiting && octets_ + one.octets <= kMostWaitingOctets;
  }
  Waiting take_oldest() {
    auto one = std::move(waiting_.front());
    waiting_.pop_front();
    octets_ -= one.octets;
    return one;
  }
  void forget_gone_ones() {
    std::erase_if(waiting_, [this](const Waiting& one) {
      const bool gone = is_gone(one.ticket.asker);
      if (gone) octets_ -= one.octets;
      return gone;
    });
  }
  void turn_away(Waiting& one) {
    one.frames.back().rebuild(overload_.data(), overload_.size());
    one.frames.erase(one.frames.begin() + 1);  // who asked, which stands before the envelope
    send(outer_, one.frames);
  }

  zmq::socket_t& outer_;
  const Manner& manner_;
  std::string overload_;  ///< the answer to what cannot wait
  std::deque<Waiting> waiting_;
  std::size_t octets_ = 0;
};

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

Ticket ticket_in(const zmq::message_t& frame) {
  PKI_CHECK(frame.size() == sizeof(Ticket));
  Ticket ticket;
  std::memcpy(&ticket, frame.data(), sizeof ticket);
  return ticket;
}

std::string Manner::refuse(const Error& why) const { return refusal == nullptr ? failure(why) : refusal(why); }

void hand_out(zmq::socket_t& outer, zmq::socket_t& inner, const Manner& manner) {
  std::vector<zmq::message_t> idle;  // the threads' names; the latest one has its session and its caches warm
  Queue queue(outer, manner);
  for (;;) {
    std::array<zmq::pollitem_t, 2> waiting{{{inner.handle(), 0, ZMQ_POLLIN, 0}, {outer.handle(), 0, ZMQ_POLLIN, 0}}};
    zmq::poll(waiting.data(), waiting.size(), queue.time_left());
    if (waiting[0].revents != 0) idle.push_back(take_answer(inner, outer));
    if (waiting[1].revents != 0) queue.take_in();
    while (!idle.empty() && queue.hand_to(inner, idle.back())) idle.pop_back();
    queue.turn_away_late_ones();
  }
}

void report_for_work(zmq::socket_t& socket) { socket.send(zmq::message_t(), zmq::send_flags::none); }

}  // namespace chancery::zmq_gateway
