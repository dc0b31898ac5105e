#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clients/lib/client.h"
#include "clients/zmq/tasks.h"

namespace chancery::zmq_gateway {

/// One thread's way to the daemon: a session in the endpoint's realm, opened when needed and anew when it ended.
class SocketBackend : public Backend {
 public:
  SocketBackend(std::string socket, std::string front_end, std::string realm)
      : socket_(std::move(socket)), front_end_(std::move(front_end)), realm_(std::move(realm)) {}
  Result<Json> call(std::string_view method, Json params) override;
  const std::string& realm() const { return realm_; }

 private:
  Status connect();
  std::string socket_;
  std::string front_end_;
  std::string realm_;
  std::unique_ptr<client::Client> client_;
};

}  // namespace chancery::zmq_gateway
