#pragma once

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "server/base/log.h"
#include "server/base/process.h"

namespace chancery::zmq_gateway {

/// Runs in a thread of its own, for ever: when it throws, the process ends, and the master starts it anew.
template <class Run>
void start_thread(const char* what, Run run) {
  std::thread([what, held = std::move(run)]() mutable {
    try {
      held();
    } catch (const std::exception& failure) {
      base::log_error(std::string(what) + " ends: " + failure.what());
      std::_Exit(base::to_int(base::Exit::Software));
    }
  }).detach();
}

}  // namespace chancery::zmq_gateway
