#include "clients/zmq/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "clients/lib/complaints.h"
#include "clients/zmq/backend.h"
#include "clients/zmq/curve_door.h"
#include "clients/zmq/curve_key.h"
#include "clients/zmq/door.h"
#include "clients/zmq/guard.h"
#include "clients/zmq/seed_limit.h"
#include "clients/zmq/tasks.h"
#include "clients/zmq/thread.h"
#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/process.h"

namespace chancery::zmq_gateway {
namespace {

constexpr int kThreadsPerDoor = 4;  ///< so that one slow key pair does not stall the others

client::Complaints& complaints() {
  static client::Complaints all;
  return all;
}

/// One line for the first refusal of a kind, whatever the client's text is.
void complain_about(const Reply& reply, const std::string& realm) {
  static std::atomic<std::uint64_t> count{0};
  const auto& why = *reply.refusal;
  const bool is_ours = why.code() == Code::Io || why.code() == Code::StoreFailed || why.code() == Code::Internal;
  const auto known = reply.task.empty() || why.code() == Code::UnknownMethod ? "request" : "task " + reply.task;
  complaints().log(is_ours ? base::LogLevel::Warning : base::LogLevel::Info,
                   known + " " + std::string(base::describe(why.code()).text), {realm, "zmq", std::to_string(++count)},
                   known + " refused: " + failure_text(why));
}

/// As many peers of one port as there are descriptors for: libzmq spins when it cannot accept what has connected.
GuardLimits guard_limits(const Settings& settings) {
  constexpr std::size_t kDescriptorsOfADoor = 32;  // threads, their sessions, what wakes them
  constexpr std::size_t kDescriptorsOfAPeer = 3;   // outside, and both ends inside
  constexpr std::size_t kLeastPeers = 2;
  const std::size_t ports = 2 * settings.endpoints.size();
  const auto has_key = [](const Endpoint& one) { return !one.server_key_file.empty(); };
  const auto doors = ports + 2 * static_cast<std::size_t>(std::ranges::count_if(settings.endpoints, has_key));
  GuardLimits limits;
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return limits;
  const auto all = static_cast<std::size_t>(descriptors.rlim_cur);
  const auto room = (all - std::min(all, kDescriptorsOfADoor * doors)) / (kDescriptorsOfAPeer * ports);
  limits.peers = std::clamp(room, kLeastPeers, limits.peers);
  return limits;
}

/// What the ports of one endpoint share.
struct Shared {
  const Settings& settings;
  const Endpoint& endpoint;
  std::shared_ptr<SeedLimit> seeds;  ///< register is on both ports
  std::shared_ptr<KeyPair> keys;     ///< none: no CURVE
};

/// The work of one thread, with a session of its own.
Answerer make_answerer(const Shared& shared, Port port) {
  auto backend =
      std::make_shared<SocketBackend>(shared.settings.socket, shared.settings.front_end, shared.endpoint, *shared.seeds);
  return [backend, seeds = shared.seeds, port](Asked asked) {
    backend->set_asker({std::move(asked.peer), asked.ticket});
    const auto reply = handle(*backend, port, asked.request);
    if (reply.refusal) complain_about(reply, backend->realm());
    return reply.text;
  };
}

/// One of libzmq's two sockets behind a guard. @return where the guard finds it.
std::string open_door(zmq::context_t& context, const Shared& shared, Port port, bool curve) {
  DoorPlan plan{.program = "chancery-zmq", .threads = kThreadsPerDoor, .manner = {}, .make_answerer = [shared, port] {
                  return make_answerer(shared, port);
                }};
  if (curve) {
    plan.keys = shared.keys.get();
    plan.zap_domain = shared.endpoint.text();
  }
  return open_door(context, plan);
}

Status serve_port(zmq::context_t& context, const Shared& shared, Port port, const GuardLimits& limits) {
  const auto& endpoint = shared.endpoint;
  const int number = endpoint.port + (port == Port::Registration ? 1 : 0);
  Doors doors{.without_curve = endpoint.without_curve};
  doors.null = open_door(context, shared, port, false);
  if (shared.keys) doors.curve = open_door(context, shared, port, true);
  PKI_TRY(auto guard, Guard::listen(endpoint.address, number, std::move(doors), limits));
  start_thread("guard", [held = std::move(guard)] { held->run(complaints()); });
  base::log_info("serves " + endpoint.address + " port " + std::to_string(number) + " for realm " + endpoint.realm +
                 (shared.keys ? ", CURVE key " + shared.keys->public_key : ""));
  return {};
}

Admitted admitted_keys(const Settings& settings) {
  Admitted admitted;
  for (const auto& endpoint : settings.endpoints)
    admitted[endpoint.text()].insert(endpoint.peer_keys.begin(), endpoint.peer_keys.end());
  return admitted;
}

}  // namespace

Status serve(const Settings& settings) {
  static zmq::context_t context(1);
  admit_keys(context, admitted_keys(settings), "a <peer> of <zmq-peers> would let it in", complaints());
  const auto limits = guard_limits(settings);
  for (const auto& endpoint : settings.endpoints) {
    Shared shared{settings, endpoint, std::make_shared<SeedLimit>(endpoint.wrong_seeds_per_minute), nullptr};
    if (!endpoint.server_key_file.empty()) {
      PKI_TRY(auto keys, read_key_file(endpoint.server_key_file));
      shared.keys = std::make_shared<KeyPair>(std::move(keys));
    }
    for (const auto port : {Port::Operations, Port::Registration}) PKI_TRY_VOID(serve_port(context, shared, port, limits));
  }
  return {};
}

}  // namespace chancery::zmq_gateway
