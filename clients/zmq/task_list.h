#pragma once

#include "clients/zmq/tasks.h"

/// The functions of the task table. Each takes the parameters as an object and gives what goes into DATA.
namespace chancery::zmq_gateway {

#define TASK(name, port, dialect, function, bare, params, result, differs) \
  Result<Json> function(Backend& backend, const Json& params_object);
#include "clients/zmq/tasks.def"
#undef TASK

}  // namespace chancery::zmq_gateway
