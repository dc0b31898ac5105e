#include "server/base/log.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/services.h"

namespace chancery::worker {
namespace {

/// The generation that the request names. One realm's first CA is there also while nothing can be read of it.
Result<const realm::Generation*> generation_of(Session& session, const Params& params) {
  const auto label = params.text("ca");
  auto found = session.generation(label);
  const bool is_first = label.empty() || label == config::kFirstCa;
  if (!found.ok() && is_first) return static_cast<const realm::Generation*>(nullptr);
  return found;
}

}  // namespace

Result<Json> ca_list(Session& session, const Params& /*params*/) {
  auto list = Json::array();
  const auto all = session.generations();
  if (!all.ok()) return Json::object({{"cas", Json::array({describe_ca(session, nullptr)})}});
  for (const auto& one : **all) list.push_back(describe_ca(session, &one));
  add_services(session, list);
  return Json::object({{"cas", std::move(list)}});
}

Result<Json> ca_get(Session& session, const Params& params) {
  PKI_TRY(const auto* generation, generation_of(session, params));
  return describe_ca(session, generation);
}

Result<Json> ca_chain(Session& session, const Params& params) {
  PKI_TRY(const auto* generation, generation_of(session, params));
  if (generation == nullptr || !generation->authority) {
    PKI_TRY([[maybe_unused]] const auto* authority, session.authority());
    return Error(Code::Unavailable, "generation " + params.text("ca") + " has no certificate yet",
                 "ca.request gives its request, ca.import brings the certificate");
  }
  PKI_TRY(const auto* all, session.generations());
  std::string chain;
  for (const auto& pem : realm::chain_pems(*generation->authority)) chain += pem;
  auto out = Json::object({{"chain", chain}});
  auto list = Json::array();
  for (const auto& other : realm::alternates(*all, *generation)) list.push_back(Json::object({{"chain", Json::strings(other)}}));
  if (!list.as_array()->empty()) out.set("alternates", std::move(list));
  return out;
}

Result<Json> ca_request(Session& session, const Params& params) {
  PKI_TRY(const auto* generation, generation_of(session, params));
  const auto described = describe_ca(session, generation);
  const auto* request = described.find("request");
  if (request == nullptr)
    return Error(Code::NotFound, "generation " + described.text("name") + " waits for no certificate",
                 "ca.get shows the one it has");
  return Json::object({{"request", *request}, {"name", described.text("name")}});
}

Result<Json> ca_import(Session& session, const Params& params) {
  const auto label = params.text("ca", config::kFirstCa);
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY_VOID(signer->import_certificate(params.text("certificate"), label));
  PKI_TRY_VOID(session.refresh_generations());
  base::log_info("CA certificate of " + label + " imported by " + session.requester());
  const auto generation = session.generation(label);
  return describe_ca(session, generation.ok() ? *generation : nullptr);
}

}  // namespace chancery::worker
