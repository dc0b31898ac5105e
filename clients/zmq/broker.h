#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "clients/zmq/ticket.h"
#include "server/base/result.h"

namespace chancery::zmq_gateway {

using Frames = std::vector<zmq::message_t>;  ///< of one message
Frames receive(zmq::socket_t& socket);
void send(zmq::socket_t& socket, Frames& frames);

/// Looks at a request before a thread gets it. It may change the request, or answer it itself on `outer`.
/// @return whether the request goes on.
using Intake = std::function<bool(zmq::socket_t& outer, Frames& request)>;

/// How the ports of a program behave, where programs differ.
struct Manner {
  Intake intake{};
  std::string (*refusal)(const Error& why) = nullptr;     ///< the text of an answer that refuses; null: uPKI's
  std::chrono::milliseconds waiting_limit{kAnswerLimit};  ///< for a thread

  std::string refuse(const Error& why) const;
};

/// Requests that wait for a thread. The guard lets a peer without CURVE have one in hand; of CURVE's, libzmq holds further ones.
inline constexpr std::size_t kMostWaiting = 256;
inline constexpr std::size_t kMostWaitingOctets = 64 << 20;

/// Stands between the peers' ROUTER and the threads that answer, and gives each request to a thread that has nothing to do.
/// (libzmq's own proxy deals requests out in turn: each fourth one would wait behind a key pair in the making.) A thread is a
/// DEALER that says one empty frame when it is there, and then one answer to each request, of which the first frame is a Ticket.
/// While all are busy requests wait here, at most kMostWaiting of at most kMostWaitingOctets: what waits longer than its limit is
/// answered as overload, what is one too many at once, and of what a peer asked that has gone nothing is done.
/// @param inner  a bound ROUTER. Returns never; throws zmq::error_t when a socket fails.
[[noreturn]] void hand_out(zmq::socket_t& outer, zmq::socket_t& inner, const Manner& manner = {});

/// The first frame of a request that a thread gets. @pre it is one
Ticket ticket_in(const zmq::message_t& frame);

/// What a thread says first on its socket, which is connected to `inner`.
void report_for_work(zmq::socket_t& socket);

}  // namespace chancery::zmq_gateway
