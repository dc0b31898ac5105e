#include "server/worker/request_work.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/worker/access.h"
#include "server/worker/reconcile.h"
#include "server/worker/request_realm.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

using realm::RequestEvent;
using realm::RequestKind;
using realm::RequestState;

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

/// Who needed nobody's approval may still do it now.
Status check_may_roll_over(const Session& session, const Request& request) {
  if (realm::rule_in(request.history, request.row.digest) != kDirectRule) return {};
  PKI_TRY(const auto wish, wish_of(request.row));
  if (may_take_alone(session, wish)) return {};
  return Error(Code::Denied, "the right that this request stood on is gone", "a ca-operator picks it up");
}

/// Whether the realm would still have it, before anything is begun that cannot be taken back.
Status check_still_allowed(Session& session, const Request& request) {
  if (request.kind == RequestKind::Revocation) return check_may_revoke(session, request);
  if (request.kind == RequestKind::Rollover) return check_may_roll_over(session, request);
  if (!realm::is_certified(request.kind)) return {};
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

Result<std::string> roll_over_for(Session& session, const Request& request) {
  if (!is_approved_enough(session, request)) return not_approved(request);
  return roll_over(session, request, for_signer(request, {}));
}

/// What a kind of request comes to. @return the serial of the certificate that came of it, or that it was about; empty: of none
struct Deed {
  RequestKind kind;
  Result<std::string> (*act)(Session&, const Request&);  ///< may be done again
  RequestEvent end;
};
constexpr std::array kDeeds{Deed{RequestKind::Enrolment, certify, RequestEvent::Issue},
                            Deed{RequestKind::Renewal, certify, RequestEvent::Issue},
                            Deed{RequestKind::NameChange, certify, RequestEvent::Issue},
                            Deed{RequestKind::Revocation, revoke_for, RequestEvent::Finish},
                            Deed{RequestKind::Rollover, roll_over_for, RequestEvent::Finish},
                            Deed{RequestKind::RuleChange, approve_rules, RequestEvent::Finish}};
static_assert(kDeeds.size() == realm::kRequestKinds);

/// When it was begun.
Seconds begun_at(const Request& request) {
  const auto begin = std::find_if(request.history.rbegin(), request.history.rend(),
                                  [](const auto& entry) { return entry.what == realm::to_text(RequestEvent::Begin); });
  return begin == request.history.rend() ? request.row.created_at : begin->at;
}

/// Whether trying again can lead to nothing else. What is refused is; what came between, a change of the profile, say, is once
/// nobody can be at it any more who began it under the old one.
bool is_final(const Session& session, const Request& request, const Error& why) {
  if (is_refusal(why)) return true;
  return why.code() == Code::Conflict && !may_be_in_hand(session, begun_at(request));
}

Status finish(Session& session, Request& request) {
  const auto* const deed = std::ranges::find(kDeeds, request.kind, &Deed::kind);
  auto serial = deed->act(session, request);
  if (!serial.ok() && is_final(session, request, serial.error())) {
    // An attempt that was cut off may have left a certificate in the journal that the store does not know.
    PKI_TRY_VOID(finish_if_made(session, request));
    if (request.state == RequestState::Issued) return {};
    PKI_TRY_VOID(advance(session, request, realm_itself(), {.event = RequestEvent::Fail, .why = serial.error().message()}));
  }
  if (!serial.ok()) return serial.error();
  request.row.serial = *serial;
  return advance(session, request, realm_itself(), {.event = deed->end});
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
  if (rule == kDirectRule && request.kind == RequestKind::Rollover) return session.realm().requests.rollover_approvals == 0;
  if (rule == kDirectRule && (is_revocation || (profile != nullptr && profile->approval.needed == 0))) return true;
  if (!rule.empty() && rule != kDirectRule && profile != nullptr && profile->approval.has_auto_rule()) return true;
  const auto people = realm::count_people(names_of(realm::approvals_in(request.history, row.digest)), row.requester);
  return people >= static_cast<std::size_t>(approvals_needed(session, row));
}

Status finish_if_made(Session& session, Request& request) {
  if (!realm::is_certified(request.kind)) return {};
  PKI_TRY_VOID(store_from_journal(session));
  PKI_TRY(const auto serial, made_before(session, request));
  if (serial.empty()) return {};
  request.row.serial = serial;
  return advance(session, request, realm_itself(), {.event = RequestEvent::Issue});
}

Status retry(Session& session, Request& request, const Actor& actor, const std::string& why) {
  PKI_TRY([[maybe_unused]] const auto next, realm::next_state(request.state, RequestEvent::Retry, actor.parts));
  PKI_TRY_VOID(finish_if_made(session, request));
  if (request.state == RequestState::Issued) return {};
  if (session.clock().now() >= request.row.expires_at)
    return Error(Code::Conflict, "the request's time was over " + base::to_rfc3339(request.row.expires_at), "ask for it anew");
  PKI_TRY_VOID(advance(session, request, actor, {.event = RequestEvent::Retry, .why = why}));
  return bring_up_to_date(session, request);
}

Status carry_out(Session& session, Request& request, const Actor& actor) {
  if (request.state == RequestState::Issued || request.state == RequestState::Done) return {};
  if (request.state == RequestState::Failed) PKI_TRY_VOID(finish_if_made(session, request));
  if (request.state == RequestState::Issued) return {};
  if (request.state != RequestState::Processing) PKI_TRY_VOID(begin(session, request, actor));
  return finish(session, request);
}

Status settle(Session& session, Request& request) {
  if (request.state != RequestState::Processing || may_be_in_hand(session, begun_at(request))) return {};
  PKI_TRY_VOID(finish_if_made(session, request));
  if (request.state != RequestState::Processing || session.clock().now() < request.row.expires_at) return {};
  return advance(session, request, realm_itself(),
                 {.event = RequestEvent::Fail, .why = "it was cut off while it was done, and its time is over"});
}

}  // namespace chancery::worker
