#pragma once

#include <string>
#include <vector>

#include "clients/validate/answer.h"
#include "clients/validate/settings.h"
#include "clients/zmq/curve_key.h"

namespace chancery::validate {

inline constexpr int kMostThreads = 64;

struct Settings {
  Endpoint endpoint;
  std::vector<std::string> clients;  ///< public keys
  Terms terms;
  int threads = 16;  ///< questions that are looked at at a time
};

/// Listens for front ends over CURVE, and only so. The threads run for ever. @errors BadConfig, Io: the address.
Status serve(const Settings& settings, const zmq_gateway::KeyPair& keys);

}  // namespace chancery::validate
