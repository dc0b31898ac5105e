#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clients/lib/client.h"
#include "clients/zmq/dialect.h"

namespace chancery::zmq_gateway {

/// Which of an endpoint's two ports a request came by.
enum class Port { Operations, Registration };

/// One thread's way to the daemon: a session in the endpoint's realm, opened when needed and anew when it ended.
class Backend {
 public:
  Backend(std::string socket, std::string front_end, std::string realm) : socket_(std::move(socket)), front_end_(std::move(front_end)), realm_(std::move(realm)) {}
  Result<Json> call(std::string_view method, Json params = Json::object());

 private:
  Status connect();
  std::string socket_;
  std::string front_end_;
  std::string realm_;
  std::unique_ptr<client::Client> client_;
};

/// Runs one frame and gives the reply frame, whatever came in.
std::string handle(Backend& backend, Port port, std::string_view frame);

}  // namespace chancery::zmq_gateway
