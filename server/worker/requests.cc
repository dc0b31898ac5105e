#include "server/worker/requests.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/realm/request_content.h"
#include "server/worker/access.h"
#include "server/worker/attest.h"
#include "server/worker/request_realm.h"

namespace chancery::worker {
namespace {

using realm::Part;
using realm::Parts;
using realm::RequestEvent;

/// The same for what is not there and for what somebody may not see (PROMISES F50).
Error not_found(const std::string& id) { return {Code::NotFound, "request not found: " + base::printable(id, 64)}; }

Result<Request> read(Session& session, const std::string& id, Parts also) {
  PKI_TRY(auto* store, session.store());
  auto row = store->request(id);
  if (!row.ok()) return row.error().code() == Code::NotFound ? not_found(id) : row.error();
  Request request{.row = std::move(*row), .history = {}, .parts = {}};
  request.parts = parts_of(session, request.row);
  request.parts.add(also);
  if (!realm::may_see(request.parts)) return not_found(id);
  PKI_TRY(request.kind, realm::request_kind(request.row.kind));
  PKI_TRY(request.state, realm::request_state(request.row.state));
  PKI_TRY(request.history, store->request_history(id));
  PKI_TRY_VOID(realm::check_history(request.history, request.state, request.row.digest));
  if (realm::digest_of_text(request.row.content) == request.row.digest) return request;
  return Error(Code::Corrupt, "request " + id + " is not what its digest was made of",
               "the store was changed by somebody else: nothing is done for this request");
}

/// Two reads that another process wrote between do not fit together; a third does.
Result<Request> read_whole(Session& session, const std::string& id, Parts also) {
  constexpr int kTries = 4;
  for (int attempt = 1;; ++attempt) {
    auto request = read(session, id, also);
    if (request.ok() || request.error().code() != Code::Corrupt || attempt == kTries) return request;
  }
}

bool has_expired(const Session& session, const Request& request) {
  return realm::is_open(request.state) && session.clock().now() >= request.row.expires_at;
}

const RealmRule* rule_of(const store::RequestRow& row) {
  const auto kind = realm::request_kind(row.kind);
  return kind.ok() ? realm_rule(*kind) : nullptr;
}

std::string line_of(const store::RequestFile& file) { return file.sha256 + " " + file.type + " " + file.name; }

}  // namespace

bool is_shown(const Session& session) {
  if (session.requester() != session.identity().name) return false;
  if (session.identity().name == kLoopbackPeer) return false;  // any program of the machine, whoever runs it
  return session.identity().front_end.empty() || session.is_attested() || session.login().has_value() ||
         session.person_login().has_value();
}

bool has_role_among(const Identity& identity, const std::vector<std::string>& names) {
  const auto given = identity.role_names();
  return std::ranges::any_of(names, [&](const std::string& name) {
    const auto role = base::role_from_text(name);
    return role.ok() ? identity.roles.allow(*role) : std::ranges::find(given, name) != given.end();
  });
}

Status check_access_to_request(Session& session, const Request& request) {
  if (realm_rule(request.kind) != nullptr) return check_access_to_none(session);
  const auto first = [&](std::string_view name) {
    auto values = realm::values_in(request.row.content, name);
    return values.empty() ? std::string() : std::move(values.front());
  };
  if (request.kind == realm::RequestKind::Revocation) {
    PKI_TRY(const auto serial, Serial::from_hex(first("certificate")));
    PKI_TRY(auto* store, session.store());
    return check_access_to(session, store->certificate(serial));
  }
  PKI_TRY(const auto subject, x509::Name::from_slash(first("subject")));
  auto about = realm::about_certificate(request.row.profile, subject, {});
  for (const auto& text : realm::values_in(request.row.content, "name")) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    about.sans.push_back(std::move(name));
  }
  return check_access_to(session, about);
}

const config::Profile* profile_of_request(const Session& session, const store::RequestRow& row) {
  const auto name = ProfileName::parse(row.profile);
  if (!name.ok()) return nullptr;
  const auto found = session.realm().profiles.find(*name);
  return found == session.realm().profiles.end() ? nullptr : &found->second;
}

/// A revocation takes nothing from anybody that could not be issued again, so one person's agreement is enough.
int approvals_needed(const Session& session, const store::RequestRow& row) {
  if (const auto* rule = rule_of(row)) return std::max(session.realm().requests.*(rule->needed), 1);
  const auto* profile = profile_of_request(session, row);
  const bool is_revocation = row.kind == realm::to_text(realm::RequestKind::Revocation);
  if (profile == nullptr || is_revocation) return 1;
  const auto wish = wire::parse_json(row.wish);
  const auto missing = wish.ok() ? static_cast<int>(wish->integer("approvals")) : 0;  // points of the policy (doc/enrolment.md)
  return std::max({profile->approval.needed, missing, 1});
}

std::vector<std::string> approval_roles(const Session& session, const store::RequestRow& row) {
  if (const auto* rule = rule_of(row)) {
    const auto& roles = session.realm().requests.*(rule->roles);
    return roles.empty() ? std::vector{std::string(base::to_text(Role::CaOperator))} : roles;
  }
  const auto* profile = profile_of_request(session, row);
  if (profile == nullptr) return {std::string(base::to_text(Role::RaOperator))};
  if (!profile->approval.roles.empty()) return profile->approval.roles;
  const auto role = config::holders_role(*profile) ? Role::CaOperator : profile->least_role;
  return {std::string(base::to_text(role))};
}

std::vector<ProfileName> approval_signers(const Session& session, const Request& request) {
  if (request.kind == realm::RequestKind::Rollover) return session.realm().requests.rollover_signers;
  const auto* profile = profile_of_request(session, request.row);
  return profile == nullptr ? std::vector<ProfileName>() : profile->approval.signer_profiles;
}

bool are_approvals_signed(const Session& session, const Request& request) {
  if (request.kind == realm::RequestKind::Rollover) return !session.realm().requests.rollover_signers.empty();
  const auto* profile = profile_of_request(session, request.row);
  return profile != nullptr && profile->approval.are_signed && request.kind != realm::RequestKind::Revocation;
}

Parts parts_of(const Session& session, const store::RequestRow& row) {
  Parts parts;
  const auto& identity = session.identity();
  // A name that a front end says is worth as much as that front end.
  const bool same_name = session.requester() == row.requester;
  if (same_name && (is_shown(session) || identity.front_end == row.front_end)) parts.add(Part::Requester);
  if (is_shown(session) && has_role_among(identity, approval_roles(session, row))) parts.add(Part::Approver);
  if (identity.roles.allow(Role::RaOperator)) parts.add(Part::Operator);
  if (identity.roles.allow(Role::Auditor)) parts.add(Part::Auditor);
  return parts;
}

Actor actor_of(const Session& session, Parts parts) {
  const auto& identity = session.identity();
  return {.who = session.requester(),
          .uid = identity.front_end.empty() ? static_cast<std::int64_t>(session.peer().uid) : realm::kNoUid,
          .roles = base::join(identity.roles.names(), " "),
          .parts = parts};
}

Actor realm_itself() { return {.who = std::string(realm::kRealmItself), .parts = {Part::Realm}}; }

Status advance(Session& session, Request& request, const Actor& actor, Step step) {
  PKI_TRY(const auto next, realm::next_state(request.state, step.event, actor.parts));
  realm::HistoryEntry entry{.number = static_cast<std::int64_t>(request.history.size()),
                            .at = session.clock().now(),
                            .what = std::string(realm::to_text(step.event)),
                            .state = std::string(realm::to_text(next)),
                            .who = actor.who,
                            .uid = actor.uid,
                            .roles = actor.roles,
                            .why = std::move(step.why),
                            .digest = request.row.digest,
                            .certificate = std::move(step.certificate),
                            .signature = std::move(step.signature)};
  for (const auto& file : step.files) entry.files.push_back(line_of(file));
  entry.chain = realm::chain_of(request.history.back().chain, entry);
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->advance_request(request.row, {entry, std::move(step.files)}));
  base::log_info("request " + request.row.id + ": " + entry.what + " by " + entry.who + ", " + entry.state);
  request.state = next;
  request.history.push_back(std::move(entry));
  return {};
}

Result<Request> load_request(Session& session, const std::string& id, Parts also) {
  PKI_TRY(auto request, read_whole(session, id, also));
  if (!has_expired(session, request)) return request;
  const auto expired = advance(session, request, realm_itself(), {.event = RequestEvent::Expire, .why = "its time was over"});
  if (!expired.ok() && expired.error().code() != Code::Conflict) return expired.error();
  return read_whole(session, id, also);
}

}  // namespace chancery::worker
