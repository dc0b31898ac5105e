#include "server/base/text.h"
#include "server/worker/request_realm.h"
#include "server/worker/request_work.h"

namespace chancery::worker {
namespace {

Json describe_entry(const realm::HistoryEntry& entry) {
  auto out = Json::object({{"number", entry.number},
                           {"at", base::to_rfc3339(entry.at)},
                           {"what", entry.what},
                           {"state", entry.state},
                           {"who", entry.who},
                           {"why", entry.why},
                           {"digest", entry.digest},
                           {"chain", entry.chain}});
  if (!entry.signature.empty()) out.set("signed", true);
  return out;
}

Json describe_file(const store::RequestFile& file) {
  return Json::object(
      {{"attachment", file.number}, {"name", file.name}, {"type", file.type}, {"size", file.size}, {"sha256", file.sha256}});
}

/// An open one whose time is over is expired, whether or not somebody has written that down.
std::string state_of_row(const Session& session, const store::RequestRow& row) {
  const auto state = realm::request_state(row.state);
  const bool is_over = state.ok() && realm::is_open(*state) && session.clock().now() >= row.expires_at;
  return is_over ? std::string(realm::to_text(realm::RequestState::Expired)) : row.state;
}

void set_if(Json& out, std::string_view name, const std::vector<std::string>& values) {
  if (!values.empty() && !values.front().empty()) out.set(name, values.front());
}

}  // namespace

std::string rule_of_request(const std::string& id) { return "request " + id; }

Json describe_row(const Session& session, const store::RequestRow& row) {
  auto out = Json::object({{"request", row.id},
                           {"kind", row.kind},
                           {"state", state_of_row(session, row)},
                           {"requester", row.requester},
                           {"profile", row.profile},
                           {"digest", row.digest},
                           {"created_at", base::to_rfc3339(row.created_at)},
                           {"expires_at", base::to_rfc3339(row.expires_at)}});
  set_if(out, "subject", realm::values_in(row.content, "subject"));
  set_if(out, "certificate_serial", realm::values_in(row.content, "certificate"));
  if (!row.serial.empty()) out.set("serial", row.serial);
  return out;
}

Result<Json> describe_request(Session& session, const Request& request) {
  const auto& row = request.row;
  auto out = describe_row(session, row);
  Json approvals = Json::array();
  for (const auto& one : realm::approvals_in(request.history, row.digest)) {
    approvals.push_back(Json::object(
        {{"who", one.who}, {"at", base::to_rfc3339(one.at)}, {"roles", one.roles}, {"signed", !one.signature.empty()}}));
  }
  Json history = Json::array();
  for (const auto& entry : request.history) history.push_back(describe_entry(entry));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto files, store->request_files(row.id));
  Json attachments = Json::array();
  for (const auto& file : files) attachments.push_back(describe_file(file));
  out.set("sans", Json::strings(realm::values_in(row.content, "name")))
      .set("content", row.content)
      .set("approvals_needed", approvals_needed(session, row))
      .set("approval_roles", Json::strings(approval_roles(session, row)))
      .set("approvals", std::move(approvals))
      .set("history", std::move(history))
      .set("attachments", std::move(attachments));
  set_if(out, "reason", realm::values_in(row.content, "reason"));
  describe_realm_request(session, request, out);
  if (const auto rule = realm::rule_in(request.history, row.digest); !rule.empty()) out.set("rule", rule);
  return out;
}

}  // namespace chancery::worker
