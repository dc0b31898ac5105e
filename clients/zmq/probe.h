#pragma once

#include <string>

/// `chancery-zmq --probe`: what a client would meet at an endpoint, and why it would not be served.
namespace chancery::zmq_gateway {

struct Probe {
  std::string address{};             ///< tcp://HOST:PORT
  std::string server_key{};          ///< Z85; empty: without CURVE
  std::string key_file{};            ///< the client's secret key (curve_key.h)
  std::string task = "list_admins";  ///< without parameters; this one changes nothing, and is refused to strangers
};

/// Connects, asks one task, says each step on standard output and what failed on standard error. @return the exit status.
int run_probe(const Probe& probe);

}  // namespace chancery::zmq_gateway
