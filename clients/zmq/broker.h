#pragma once

#include <functional>
#include <vector>
#include <zmq.hpp>

namespace chancery::zmq_gateway {

using Frames = std::vector<zmq::message_t>;  ///< of one message
Frames receive(zmq::socket_t& socket);
void send(zmq::socket_t& socket, Frames& frames);

/// Looks at a request before a thread gets it. It may change the request, or answer it itself on `outer`.
/// @return whether the request goes on.
using Intake = std::function<bool(zmq::socket_t& outer, Frames& request)>;

/// Stands between the peers' ROUTER and the threads that answer, and gives each request to a thread that has nothing to do.
/// (libzmq's own proxy deals requests out in turn: each fourth one would wait behind a key pair in the making.) A thread is a
/// DEALER that says one empty frame when it is there, and then one answer to each request. While all are busy, requests wait in
/// the outer socket, up to its high-water mark.
/// @param inner  a bound ROUTER. Returns never; throws zmq::error_t when a socket fails.
[[noreturn]] void hand_out(zmq::socket_t& outer, zmq::socket_t& inner, const Intake& intake = {});

/// What a thread says first on its socket, which is connected to `inner`.
void report_for_work(zmq::socket_t& socket);

}  // namespace chancery::zmq_gateway
