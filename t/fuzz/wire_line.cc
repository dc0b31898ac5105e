#include "server/wire/message.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// A line of the socket, from a client or from a server.
FUZZ_TARGET(wire_line) {
  if (const auto request = wire::decode_request(input); request.ok()) {
    const auto again = wire::decode_request(wire::encode_request(*request));
    fuzz::hold(again.ok() && again->method == request->method && again->params == request->params && again->id == request->id);
  }
  static_cast<void>(wire::decode_reply(input).ok());
  if (const auto json = wire::parse_json(input); json.ok()) {
    fuzz::hold(wire::to_text(*json).find('\n') == std::string::npos);
    for (const auto& text : {wire::to_text(*json), wire::to_pretty_text(*json), wire::to_python_text(*json)}) {
      const auto again = wire::parse_json(text);
      fuzz::hold(again.ok() && *again == *json);
    }
  }
}
