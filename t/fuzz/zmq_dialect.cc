#include "clients/zmq/dialect.h"
#include "clients/zmq/tasks.h"
#include "clients/zmq/view.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

/// Answers every command with what the client sent: objects of no command's form.
class Echo : public zmq_gateway::Backend {
 public:
  explicit Echo(Json answer) : answer_(std::move(answer)) {}
  Result<Json> call(std::string_view /*method*/, Json /*params*/) override { return answer_; }
  Result<Json> speak_for(const std::string& /*holder*/) override { return answer_; }
  Result<Json> call_for(std::string_view /*method*/, Json /*params*/, const std::string& /*acting_for*/) override {
    return answer_;
  }
  const std::string& realm() const override { return realm_; }
  bool is_in_time() override { return commands_-- > 0; }

 private:
  Json answer_;
  std::string realm_ = "default";
  int commands_ = 4;
};

}  // namespace

/// The text of a ZMQ request, and what becomes of its parameters.
FUZZ_TARGET(zmq_dialect) {
  const auto message = zmq_gateway::parse_message(input);
  if (!message.ok()) {
    fuzz::hold(wire::parse_json(zmq_gateway::failure(message.error())).ok());
    return;
  }
  fuzz::hold(wire::parse_json(zmq_gateway::answer(message->params)).ok());
  for (const auto port : {zmq_gateway::Port::Operations, zmq_gateway::Port::Registration}) {
    Echo backend(message->params);
    fuzz::hold(wire::parse_json(zmq_gateway::handle(backend, port, input).text).ok());
  }
  static_cast<void>(zmq_gateway::certificate_view(message->params).is_object());
  if (message->params.as_object() == nullptr) return;
  for (const auto& [name, value] : *message->params.as_object()) {
    static_cast<void>(zmq_gateway::reason_from(value).ok());
    static_cast<void>(zmq_gateway::sans_from(value).ok());
    if (const auto* text = value.as_string()) {
      fuzz::hold(zmq_gateway::selector(*text).is_object());
      static_cast<void>(zmq_gateway::serial_number(*text).kind());
      static_cast<void>(zmq_gateway::python_time(*text).size());
      static_cast<void>(zmq_gateway::common_name_of(*text).size());
    }
  }
}
