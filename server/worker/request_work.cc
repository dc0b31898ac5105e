#include "server/worker/request_work.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/access.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

using realm::RequestEvent;
using realm::RequestKind;
using realm::RequestState;

constexpr std::size_t kExpiredAtOnce = 100;

/// What was filled in when the request was made.
realm::RequestContent frame_of(const Session& session, const Request& request) {
  const auto& row = request.row;
  realm::RequestContent content;
  content.realm = session.realm().name.text();
  content.id = row.id;
  content.kind = request.kind;
  content.requester = row.requester;
  content.front_end = row.front_end;
  content.expires = row.expires_at;
  const auto certificate = realm::values_in(row.content, "certificate");
  const auto reason = realm::values_in(row.content, "reason");
  if (!certificate.empty()) content.certificate = certificate.front();
  if (!reason.empty()) content.reason = reason.front();
  return content;
}

std::vector<std::string> names_of(const std::vector<realm::HistoryEntry>& approvals) {
  std::vector<std::string> names;
  for (const auto& one : approvals) names.push_back(one.who);
  return names;
}

/// By whose right it is done: of the people who approved, of the requester who needed none, or of the profile's rule.
Roles roles_behind(const Session& session, const Request& request, const config::Profile& profile) {
  const auto rule = realm::rule_in(request.history, request.row.digest);
  Roles roles;
  if (rule == kDirectRule) return session.identity().roles;
  if (!rule.empty()) roles.add(profile.least_role);
  for (const auto& one : realm::approvals_in(request.history, request.row.digest)) {
    for (const auto& word : base::split(one.roles, ' ')) {
      const auto role = base::role_from_text(word);
      if (role.ok()) roles.add(*role);
    }
  }
  return roles;
}

std::string evidence_for(const Request& request) {
  const auto rule = realm::rule_in(request.history, request.row.digest);
  const auto approvals = realm::approvals_in(request.history, request.row.digest);
  auto text = "request " + request.row.id + " of digest " + request.row.digest;
  return text + (rule.empty() ? ", approved by " + base::join(names_of(approvals), ", ") : ", by the rule: " + rule);
}

signer::ApprovedRequest for_signer(const Request& request, std::chrono::seconds validity) {
  const auto certificate = realm::values_in(request.row.content, "certificate");
  signer::ApprovedRequest out{.id = request.row.id,
                              .kind = request.row.kind,
                              .certificate = certificate.empty() ? std::string() : certificate.front(),
                              .validity = validity,
                              .expires = request.row.expires_at};
  for (const auto& one : realm::approvals_in(request.history, request.row.digest)) {
    if (!one.signature.empty()) out.approvals.push_back({one.certificate, one.signature});
  }
  return out;
}

Result<Order> approved_order(Session& session, const Request& request) {
  PKI_TRY(const auto wish, wish_of(request.row));
  PKI_TRY(auto order, order_for(session, wish));
  PKI_TRY(const auto* profile, profile_of(session, order.profile));
  order.roles = roles_behind(session, request, *profile);
  order.is_approved = true;
  order.requester = request.row.requester;
  order.requester_front_end = request.row.front_end;
  order.request = for_signer(request, order.validity.value_or(profile->validity));
  order.rule = rule_of_request(request.row.id);
  order.evidence = evidence_for(request);
  order.idempotency_key = signer::key_of_request(request.row.id);
  return order;
}

/// What an attempt that was cut off has made already.
Result<std::string> made_before(Session& session, const Request& request) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, store->by_idempotency_key(signer::key_of_request(request.row.id)));
  if (!record) return std::string();
  if (record->rule == rule_of_request(request.row.id)) return record->serial.hex();
  return Error(Code::Conflict, "the request's idempotency key was used for certificate " + record->serial.hex());
}

Error not_approved(const Request& request) {
  const auto& last = request.history.back();
  return {Code::Conflict,
          "the request is " + std::string(realm::to_text(request.state)) + ", expected an approved one" +
              (last.why.empty() || realm::is_open(request.state) ? "" : ": " + last.why),
          "request.get says who has to approve it, and what became of it"};
}

/// What is made is what was approved, whoever's roles and whichever rules decide by now.
Status check_as_approved(Session& session, const Request& request, const Order& order) {
  PKI_TRY(const auto decision, judge(session, order));
  if (!decision.allowed()) return decision.refusal();
  PKI_TRY(const auto* profile, profile_of(session, order.profile));
  auto content = frame_of(session, request);
  realm::set_grant(content, decision.grant, *profile);
  content.validity = order.validity.value_or(profile->validity);
  if (realm::canonical_text(content) == request.row.content) return {};
  return Error(Code::Conflict, "another certificate would come of the request by now than was approved", "ask for it anew");
}

/// @return the serial
Result<std::string> certify(Session& session, const Request& request) {
  PKI_TRY(const auto before, made_before(session, request));
  if (!before.empty()) return before;
  if (!is_approved_enough(session, request)) return not_approved(request);
  PKI_TRY(const auto order, approved_order(session, request));
  PKI_TRY_VOID(check_as_approved(session, request, order));
  PKI_TRY(const auto issued, issue(session, order));
  return issued.certificate.serial().hex();
}

/// One that is revoked already is what was asked for.
Result<std::string> revoke_for(Session& session, const Request& request) {
  PKI_TRY(const auto wish, wish_of(request.row));
  PKI_TRY(const auto serial, Serial::from_hex(wish.serial));
  const auto revoked = revoke(session, serial, wish.reason);
  if (revoked.ok()) return serial.hex();
  PKI_TRY(auto* store, session.store());
  const auto record = store->certificate(serial);
  const bool is_done = revoked.error().code() == Code::Conflict && record.ok() && record->state != store::CertificateState::Valid;
  return is_done ? Result<std::string>(serial.hex()) : revoked.error();
}

/// Who needed nobody's approval may still do it now.
Status check_may_revoke(Session& session, const Request& request) {
  if (realm::rule_in(request.history, request.row.digest) != kDirectRule) return {};
  PKI_TRY(const auto wish, wish_of(request.row));
  PKI_TRY(const auto serial, Serial::from_hex(wish.serial));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, store->certificate(serial));
  if (may_run(session, "certificate.revoke", about_record(record))) return {};
  return Error(Code::Denied, "the right that this request stood on is gone", "somebody with the role ra-operator approves it");
}

/// Whether the realm would still have it, before anything is begun that cannot be taken back.
Status check_still_allowed(Session& session, const Request& request) {
  if (request.kind == RequestKind::Revocation) return check_may_revoke(session, request);
  PKI_TRY(const auto order, approved_order(session, request));
  return check_as_approved(session, request, order);
}

Status begin(Session& session, Request& request, const Actor& actor) {
  if (request.state != RequestState::Approved) return not_approved(request);
  PKI_TRY_VOID(bring_up_to_date(session, request));
  if (request.state == RequestState::Approved && !is_approved_enough(session, request)) {
    PKI_TRY_VOID(advance(session, request, realm_itself(),
                         {.event = RequestEvent::Change, .why = "the profile wants more approvals by now"}));
  }
  if (request.state != RequestState::Approved) return not_approved(request);
  PKI_TRY_VOID(check_still_allowed(session, request));
  return advance(session, request, actor, {.event = RequestEvent::Begin});
}

Status finish(Session& session, Request& request) {
  const bool is_revocation = request.kind == RequestKind::Revocation;
  auto serial = is_revocation ? revoke_for(session, request) : certify(session, request);
  if (serial.ok()) {
    request.row.serial = *serial;
    return advance(session, request, realm_itself(), {.event = is_revocation ? RequestEvent::Finish : RequestEvent::Issue});
  }
  if (!is_refusal(serial.error())) return serial.error();  // another try may do it
  PKI_TRY_VOID(advance(session, request, realm_itself(), {.event = RequestEvent::Fail, .why = serial.error().message()}));
  return serial.error();
}

}  // namespace

Result<RequestWish> wish_of(const store::RequestRow& row) {
  const auto parsed = wire::parse_json(row.wish);
  if (!parsed.ok()) return Error(Code::Corrupt, "request " + row.id + " does not say what was asked for");
  return request_wish_from_json(*parsed);
}

Status bring_up_to_date(Session& session, Request& request) {
  PKI_TRY(auto wish, wish_of(request.row));
  PKI_TRY(const auto content, content_of(session, wish, frame_of(session, request)));
  auto text = realm::canonical_text(content);
  if (text == request.row.content) return {};
  request.row.digest = realm::digest_of_text(text);
  request.row.content = std::move(text);
  return advance(
      session, request, realm_itself(),
      {.event = RequestEvent::Change, .why = "another certificate would come of it by now: earlier approvals count no more"});
}

bool is_approved_enough(const Session& session, const Request& request) {
  const auto& row = request.row;
  const auto* profile = profile_of_request(session, row);
  const auto rule = realm::rule_in(request.history, row.digest);
  const bool is_revocation = request.kind == RequestKind::Revocation;
  if (rule == kDirectRule && (is_revocation || (profile != nullptr && profile->approval.needed == 0))) return true;
  if (!rule.empty() && rule != kDirectRule && profile != nullptr && profile->approval.has_auto_rule()) return true;
  const auto people = realm::count_people(names_of(realm::approvals_in(request.history, row.digest)), row.requester);
  return people >= static_cast<std::size_t>(approvals_needed(session, row));
}

Status carry_out(Session& session, Request& request, const Actor& actor) {
  if (request.state == RequestState::Issued || request.state == RequestState::Done) return {};
  if (request.state != RequestState::Processing) PKI_TRY_VOID(begin(session, request, actor));
  return finish(session, request);
}

Status expire_requests(Session& session) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto ids, store->ended_requests(session.clock().now(), kExpiredAtOnce));
  for (const auto& id : ids) {
    const auto request = load_request(session, id);
    if (!request.ok()) base::log_warning("request " + id + " does not expire: " + request.error().message());
  }
  return {};
}

}  // namespace chancery::worker
