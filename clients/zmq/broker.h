#pragma once

#include <zmq.hpp>

namespace chancery::zmq_gateway {

/// Stands between the peers' ROUTER and the threads that answer, and gives each request to a thread that has nothing to do.
/// (libzmq's own proxy deals requests out in turn: each fourth one would wait behind a key pair in the making.) A thread is a
/// DEALER that says one empty frame when it is there, and then one answer to each request. While all are busy, requests wait in
/// the outer socket, up to its high-water mark.
/// @param inner  a bound ROUTER. Returns never; throws zmq::error_t when a socket fails.
[[noreturn]] void hand_out(zmq::socket_t& outer, zmq::socket_t& inner);

/// What a thread says first on its socket, which is connected to `inner`.
void report_for_work(zmq::socket_t& socket);

}  // namespace chancery::zmq_gateway
