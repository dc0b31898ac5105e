#include "clients/ra/command.h"

#include <chrono>
#include <utility>

namespace chancery::ra {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{10'000};  ///< the CA host answers within 4 s, or says that it cannot
constexpr std::string_view kTask = "command";

}  // namespace

Result<wire::Reply> ask_daemon(Link& link, const Json& message) {
  PKI_TRY(auto data, link.ask(kTask, message, kAnswerLimit));
  if (!data.is_object())
    return Error(Code::Malformed, "DATA of a command is " + std::string(data.kind()) + ", expected an object");
  data.set("jsonrpc", "2.0").set("id", Json());
  return wire::decode_reply(wire::to_text(data));
}

Result<Json> command(Link& link, const Json& message) {
  PKI_TRY(auto reply, ask_daemon(link, message));
  if (reply.error) return *std::move(reply.error);
  return *std::move(reply.result);
}

}  // namespace chancery::ra
