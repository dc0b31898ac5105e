#include <algorithm>

#include "server/base/log.h"
#include "server/wire/commands.h"
#include "server/worker/handlers.h"

namespace chancery::worker {
namespace {

Json describe_errors() {
  Json list = Json::array();
  const auto [rows, count] = base::all_codes();
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back(Json::object({{"code", rows[i].text}, {"number", rows[i].number}, {"meaning", rows[i].meaning}}));
  }
  return list;
}

/// Not by this realm's roles, nor by a login here: who is admin of one realm learns nothing of the others (PROMISES F50).
bool is_admin_everywhere(const Session& session) { return session.own_roles("*").has(Role::Admin); }

/// What a session of one realm may see of the workers: its own realm's, unless it is admin everywhere.
Json describe_workers(const Session& session) {
  const bool everywhere = is_admin_everywhere(session);
  Json list = Json::array();
  for (const auto& one : session.board().workers()) {
    const bool own = session.is_open() && one.realm == session.realm().name.text();
    if (!own && !everywhere) continue;
    list.push_back(Json::object({{"pid", std::int64_t{one.pid}},
                                 {"uid", std::int64_t{one.uid}},
                                 {"realm", one.realm},
                                 {"state", base::to_text(one.state)},
                                 {"requests", static_cast<std::int64_t>(one.requests)},
                                 {"since", base::to_rfc3339(one.since)}}));
  }
  return list;
}

Json describe_processes(const Session& session) {
  const bool everywhere = is_admin_everywhere(session);
  Json list = Json::array();
  for (const auto& one : session.board().processes()) {
    const bool foreign = one.kind == "signer" && session.is_open() && one.name != session.realm().name.text();
    if (foreign && !everywhere) continue;
    list.push_back(Json::object({{"kind", one.kind},
                                 {"name", one.name},
                                 {"pid", std::int64_t{one.pid}},
                                 {"state", base::to_text(one.state)},
                                 {"restarts", static_cast<std::int64_t>(one.restarts)},
                                 {"detail", one.detail}}));
  }
  return list;
}

/// What of the key pool this session's realm can ask for, or all of it.
Json describe_key_pool(const Session& session) {
  const auto is_ours = [&](const std::string& kind) {
    if (is_admin_everywhere(session)) return true;
    return session.is_open() &&
           std::ranges::any_of(session.realm().profiles, [&](const auto& one) { return base::to_text(one.second.key) == kind; });
  };
  Json list = Json::array();
  for (const auto& one : session.board().key_kinds()) {
    if (!is_ours(one.kind)) continue;
    list.push_back(Json::object(
        {{"kind", one.kind}, {"ready", static_cast<std::int64_t>(one.ready)}, {"size", static_cast<std::int64_t>(one.size)}}));
  }
  return list;
}

Json describe_limits(const config::Limits& limits) {
  return Json::object({{"max_workers", limits.max_workers},
                       {"max_workers_per_uid", limits.max_workers_per_uid},
                       {"max_workers_per_realm", limits.max_workers_per_realm},
                       {"idle_timeout", std::int64_t{limits.idle_timeout.count()}},
                       {"session_lifetime", std::int64_t{limits.session_lifetime.count()}},
                       {"max_requests_per_worker", limits.max_requests_per_worker},
                       {"key_pool", limits.key_pool}});
}

}  // namespace

Result<Json> server_ping(Session& /*session*/, const Params& /*params*/) { return Json::object({{"pong", true}}); }

Result<Json> server_describe(Session& /*session*/, const Params& params) {
  if (!params.has("method")) return Json::object({{"commands", wire::describe_commands()}, {"errors", describe_errors()}});
  const auto* command = wire::find_command(params.text("method"));
  if (command == nullptr) return Error(Code::NotFound, "no command \"" + params.text("method") + "\"");
  return Json::object({{"commands", Json::array({wire::describe_command(*command)})}, {"errors", describe_errors()}});
}

Result<Json> server_status(Session& session, const Params& /*params*/) {
  const auto server = session.board().server();
  return Json::object({{"version", CHANCERY_VERSION},
                       {"pid", std::int64_t{server.master}},
                       {"started_at", base::to_rfc3339(server.started_at)},
                       {"generation", static_cast<std::int64_t>(server.generation)},
                       {"workers", describe_workers(session)},
                       {"processes", describe_processes(session)},
                       {"key_pool", describe_key_pool(session)},
                       {"limits", describe_limits(session.snapshot().server.limits)},
                       {"refused", static_cast<std::int64_t>(server.refused)}});
}

Result<Json> server_log_level(Session& /*session*/, const Params& params) {
  if (params.has("level")) {
    PKI_TRY(const auto level, base::log_level_from_text(params.text("level")));
    base::set_log_level(level);
    base::log_info("log level of this worker is now " + params.text("level"));
  }
  return Json::object({{"level", base::to_text(base::log_level())},
                       {"holds",
                        "for this session's worker, until the session ends; <log level> of chancery.xml and SIGHUP to "
                        "chanceryd set everybody's"}});
}

}  // namespace chancery::worker
