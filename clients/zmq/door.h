#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "clients/zmq/broker.h"
#include "clients/zmq/curve_key.h"
#include "clients/zmq/ticket.h"

/// libzmq behind a guard (guard.h): a ROUTER that takes connections of this process alone, a broker, and the threads that answer.
namespace chancery::zmq_gateway {

/// A request and who sent it.
struct Asked {
  Ticket ticket;
  std::string peer;  ///< its address, or its key (curve_door.h)
  std::string_view request;
};
/// What one thread does with each request, and the text of the answer.
using Answerer = std::function<std::string(Asked asked)>;

/// What a door is made of.
struct DoorPlan {
  std::string program;            ///< for the name of the inner address
  const KeyPair* keys = nullptr;  ///< null: without CURVE
  std::string zap_domain;         ///< of Admitted (curve_door.h), with keys
  int threads = 1;
  Manner manner;
  std::function<Answerer()> make_answerer;  ///< called by each thread
};

/// Starts the threads, which run for ever. @return the abstract Unix address where the guard finds it.
std::string open_door(zmq::context_t& context, const DoorPlan& plan);

}  // namespace chancery::zmq_gateway
