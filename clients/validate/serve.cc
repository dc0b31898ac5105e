#include "clients/validate/serve.h"

#include <chrono>
#include <memory>
#include <utility>

#include "clients/lib/complaints.h"
#include "clients/zmq/curve_door.h"
#include "clients/zmq/door.h"
#include "clients/zmq/guard.h"
#include "clients/zmq/thread.h"
#include "server/base/log.h"

namespace chancery::validate {
namespace {

constexpr const char* kDomain = "vantage";
constexpr std::chrono::seconds kWaitingLimit{3};  ///< for a thread; then the front end hears that this place is busy

client::Complaints& complaints() {
  static client::Complaints all;
  return all;
}

}  // namespace

Status serve(const Settings& settings, const zmq_gateway::KeyPair& keys) {
  static zmq::context_t context(1);
  zmq_gateway::admit_keys(context, {{kDomain, {settings.clients.begin(), settings.clients.end()}}},
                          "a line in the file of --clients would let it in", complaints());
  const zmq_gateway::DoorPlan plan{.program = "chancery-validate",
                                   .keys = &keys,
                                   .zap_domain = kDomain,
                                   .threads = settings.threads,
                                   .manner = {.refusal = refusal, .waiting_limit = kWaitingLimit},
                                   .make_answerer = [terms = settings.terms] {
                                     return [terms](const zmq_gateway::Asked& asked) { return answer(asked.request, terms); };
                                   }};
  const zmq_gateway::Doors doors{.curve = zmq_gateway::open_door(context, plan),
                                 .without_curve = zmq_gateway::WithoutCurve::Nobody};
  PKI_TRY(auto guard, zmq_gateway::Guard::listen(settings.endpoint.address, settings.endpoint.port, doors));
  zmq_gateway::start_thread("guard", [held = std::move(guard)] { held->run(complaints()); });
  base::log_info("looks from " + settings.endpoint.address + " port " + std::to_string(settings.endpoint.port) + " for " +
                 std::to_string(settings.clients.size()) + " clients, CURVE key " + keys.public_key);
  return {};
}

}  // namespace chancery::validate
