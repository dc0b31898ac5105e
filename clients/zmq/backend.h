#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "clients/lib/client.h"
#include "clients/zmq/seed_limit.h"
#include "clients/zmq/tasks.h"

namespace chancery::zmq_gateway {

/// One thread's way to the daemon: a session in the endpoint's realm, opened when needed and anew when it ended. What its peers
/// may offer as seeds is counted by the endpoint's limit, which its threads share and which outlives them.
class SocketBackend : public Backend {
 public:
  SocketBackend(std::string socket, std::string front_end, std::string realm, SeedLimit& seeds)
      : socket_(std::move(socket)), front_end_(std::move(front_end)), realm_(std::move(realm)), seeds_(seeds) {}
  Result<Json> call(std::string_view method, Json params) override;
  bool offer_seed() override { return seeds_.offer(peer_, std::chrono::steady_clock::now()); }
  void take_back_offer() override { seeds_.take_back(peer_); }
  bool is_in_time() override;
  /// Whose request is in hand from now on: an address.
  void set_peer(std::string address);
  const std::string& peer() const { return peer_; }
  const std::string& realm() const { return realm_; }

 private:
  Status connect();
  std::string socket_;
  std::string front_end_;
  std::string realm_;
  std::string peer_;
  SeedLimit& seeds_;
  std::chrono::steady_clock::time_point asked_at_{};
  std::unique_ptr<client::Client> client_;
};

}  // namespace chancery::zmq_gateway
