#include <limits>

#include "server/worker/audit.h"
#include "server/worker/handlers.h"
#include "server/worker/self_audit.h"

namespace chancery::worker {
namespace {

constexpr std::chrono::seconds kStep{2};

Result<Json> audit_now(Session& session, const std::string& after) {
  PKI_TRY(const auto place, audit_place_from(after));
  PKI_TRY(auto* store, session.store());
  AuditStep step(session, *store, kStep);
  PKI_TRY(const auto next, step.run(place, std::numeric_limits<std::int64_t>::max()));
  auto findings = Json::array();
  for (const auto& one : step.findings())
    findings.push_back(Json::object({{"part", one.part}, {"about", one.about}, {"fault", one.fault}}));
  const auto about = Json::object(
      {{"after", after}, {"certificates", step.certificates()}, {"findings", static_cast<std::int64_t>(step.findings().size())}});
  PKI_TRY_VOID(audit_result(session, "audit.self", about, step.findings().empty() ? "ok" : wire::to_text(findings)));
  auto answer = Json::object({{"findings", std::move(findings)}, {"certificates", step.certificates()}});
  if (!is_end(next)) answer.set("next", to_text(next));
  return answer;
}

}  // namespace

Result<Json> audit_self(Session& session, const Params& params) { return audit_now(session, params.text("after")); }

Result<Json> audit_nightly(Session& session, const Params& /*params*/) { return run_self_audit_if_due(session); }

Result<Json> audit_status(Session& session, const Params& /*params*/) { return self_audit_status(session); }

}  // namespace chancery::worker
