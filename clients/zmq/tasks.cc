#include "clients/zmq/tasks.h"

#include <algorithm>
#include <array>

#include "clients/zmq/task_list.h"
#include "server/base/text.h"

namespace chancery::zmq_gateway {
namespace {

/// Whom a row answers; Both: whoever asks.
enum class Speaks { Newer, Older, Both };

struct Task {
  std::string_view name;
  Port port;
  Speaks speaks;
  Result<Json> (*run)(Backend&, const Json&);
  std::string_view bare;
};
constexpr std::array kTasks{
#define TASK(name, port, dialect, function, bare, params, result, differs) \
  Task{#name, Port::port, Speaks::dialect, function, bare},
#include "clients/zmq/tasks.def"
#undef TASK
};

bool answers(const Task& task, Dialect dialect) {
  return task.speaks == Speaks::Both || task.speaks == (dialect == Dialect::Older ? Speaks::Older : Speaks::Newer);
}

/// The task's parameters as an object.
Result<Json> params_of(const Task& task, const Json& given) {
  if (given.is_object()) return given;
  if (given.is_null()) return Json::object();
  if (given.is_string() && !task.bare.empty()) return Json::object({{std::string(task.bare), given}});
  return Error(Code::Malformed, "[700] params is " + std::string(given.kind()) + ", expected an object");
}

Result<Json> run(Backend& backend, Port port, const Message& message) {
  const auto found = std::ranges::find_if(
      kTasks, [&](const Task& task) { return task.name == message.task && task.port == port && answers(task, message.dialect); });
  if (found == kTasks.end()) return Error(Code::UnknownMethod, "[700] Unknown task: " + base::printable(message.task, 64));
  PKI_TRY(const auto params, params_of(*found, message.params));
  return found->run(backend, params);
}

}  // namespace

Reply handle(Backend& backend, Port port, std::string_view frame) {
  const auto message = parse_message(frame);
  if (!message.ok()) return {failure(message.error()), {}, message.error()};
  const auto result = run(backend, port, *message);
  if (!result.ok()) return {failure(result.error(), message->dialect), message->task, result.error()};
  return {answer(*result), message->task, std::nullopt};
}

std::vector<std::string_view> task_names(Port port, Dialect dialect) {
  std::vector<std::string_view> names;
  for (const auto& task : kTasks) {
    if (task.port == port && answers(task, dialect)) names.push_back(task.name);
  }
  return names;
}

}  // namespace chancery::zmq_gateway
