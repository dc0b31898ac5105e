#include "server/worker/stand_in_handlers.h"

#include <utility>

namespace chancery::worker {
namespace {

// Tests have one connection at a time, each in its thread: nobody else is at these meanwhile.
std::vector<std::string> handled;
std::function<Result<Json>(Session&)> act;

Result<Json> stand_in(std::string_view command, Session& session) {
  handled.emplace_back(command);
  return act ? act(session) : Result<Json>(Json::object());
}

}  // namespace

#define COMMAND(name, handler, role, state, effect, params, result, doc) \
  Result<Json> handler(Session& session, const Params& /*params*/) { return stand_in(name, session); }
#include "server/wire/commands.def"
#undef COMMAND

namespace testing {

std::vector<std::string> take_handled() { return std::exchange(handled, {}); }

void handle_with(std::function<Result<Json>(Session&)> handler) { act = std::move(handler); }

}  // namespace testing
}  // namespace chancery::worker
