#pragma once

#include <map>
#include <set>
#include <string>

#include "clients/lib/complaints.h"
#include "clients/zmq/broker.h"

/// CURVE in front of the workers: who may come, and who came.
namespace chancery::zmq_gateway {

/// Keys (Z85) that may come, by the ZAP domain of a socket.
using Admitted = std::map<std::string, std::set<std::string>>;

/// Answers libzmq's questions about CURVE keys (ZeroMQ RFC 27) in a thread of its own: a known key comes in, and is its messages'
/// user. Once for each context, before its sockets are bound. @param advice  what would let an unknown key in, for the log
void admit_keys(zmq::context_t& context, Admitted admitted, std::string advice, client::Complaints& complaints);

/// The Intake of a CURVE ROUTER: each request gets a frame with its sender's key in front, as the guard puts an address in front
/// of others. One that is no envelope, empty frame and one request is answered here.
bool take_curve(zmq::socket_t& outer, Frames& request, const Manner& manner = {});

}  // namespace chancery::zmq_gateway
