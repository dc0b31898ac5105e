#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "clients/lib/client.h"
#include "clients/zmq/seed_limit.h"
#include "clients/zmq/settings.h"
#include "clients/zmq/tasks.h"
#include "clients/zmq/ticket.h"

namespace chancery::zmq_gateway {

/// What stands in front of a CURVE peer's key where another peer's address does.
inline constexpr std::string_view kCurvePeer = "curve:";

/// What a peer has shown, as session.attest takes it. @param peer  an address, or kCurvePeer and a key.
Json evidence_for(const Endpoint& endpoint, const std::string& peer);

/// Who waits for an answer.
struct Asker {
  std::string peer;  ///< an address, or kCurvePeer and a key
  Ticket ticket;
};

/// One thread's way to the daemon: a session in the endpoint's realm, opened when needed and anew when it ended. Each request is
/// for the peer that it came from: the daemon is told which (session.attest) and decides what that one may do. What peers may
/// offer as seeds is counted by the endpoint's limit, which its threads share and which outlives them.
class SocketBackend : public Backend {
 public:
  SocketBackend(std::string socket, std::string front_end, const Endpoint& endpoint, SeedLimit& seeds)
      : socket_(std::move(socket)), front_end_(std::move(front_end)), endpoint_(endpoint), seeds_(seeds) {}
  Result<Json> call(std::string_view method, Json params) override { return call_for(method, std::move(params), {}); }
  Result<Json> speak_for(const std::string& holder) override;
  Result<Json> call_for(std::string_view method, Json params, const std::string& acting_for) override;
  bool offer_seed() override { return seeds_.offer(peer(), std::chrono::steady_clock::now()); }
  void take_back_offer() override { seeds_.take_back(peer()); }
  bool is_in_time() override;
  /// Whose request is in hand from now on. The daemon is told until when the answer is of use, and is left when the peer goes.
  void set_asker(Asker asker);
  const std::string& peer() const { return asker_.peer; }
  const std::string& realm() const override { return endpoint_.realm; }

 private:
  std::chrono::milliseconds time_left(std::chrono::milliseconds limit) const;
  Status connect();
  Status take_time();
  Result<Json> attest();
  Result<Json> ask(std::string_view method, const Json& params, const std::string& acting_for);
  Result<Json> repeat(const std::function<Result<Json>()>& ask);

  std::string socket_;
  std::string front_end_;
  const Endpoint& endpoint_;
  Asker asker_;
  Json evidence_ = Json::object();
  Json attested_;  ///< evidence that the session has accepted; null: none
  Json identity_;  ///< what it gave for that
  SeedLimit& seeds_;
  std::unique_ptr<client::Client> client_;
};

}  // namespace chancery::zmq_gateway
