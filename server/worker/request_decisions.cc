#include <algorithm>

#include "server/base/approval_text.h"
#include "server/base/log.h"
#include "server/base/user.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/request_files.h"
#include "server/worker/request_realm.h"
#include "server/worker/request_work.h"

/// What people decide about requests.
namespace chancery::worker {
namespace {

using realm::RequestEvent;
using realm::RequestState;

Error same_person(const std::string& who, const std::string& did) {
  return {Code::Denied, "this may be " + who + ", who " + did + ": an approval takes somebody else",
          "another name of the same person is the same person"};
}

/// Somebody who has had to do with the request, against who would approve it now.
Status check_other(const Actor& actor, const std::string& who, std::int64_t uid, const std::string& did) {
  if (realm::may_be_same_person(who, actor.who)) return same_person(who, did);
  if (uid == realm::kNoUid || uid != actor.uid) return {};
  return Error(Code::Denied,
               "this may be " + who + ", who " + did + ": both came from the Unix user " +
                   base::user_name(static_cast<uid_t>(uid)) + ", and an approval takes somebody else",
               "log in from another account of the machine");
}

/// Four eyes take two people, whatever names and sessions one has.
Status check_somebody_else(const Request& request, const Actor& actor) {
  PKI_TRY_VOID(check_other(actor, request.row.requester, request.row.uid, "asks for it"));
  for (const auto& one : realm::approvals_in(request.history, request.row.digest))
    PKI_TRY_VOID(check_other(actor, one.who, one.uid, "has approved it"));
  return {};
}

/// The signature of an approval and the certificate that made it.
struct Signed {
  Bytes certificate{};
  Bytes signature{};
};

Error bad_signature(const std::string& what) {
  return {Code::AuthFailed, "the approval's signature does not count: " + what,
          "doc/four-eyes.md says what is signed; chancery request approve --key signs it"};
}

/// "profile webserver", "a rollover"
std::string what_is_asked(const Request& request) {
  return realm_rule(request.kind) == nullptr ? "profile " + request.row.profile : "a " + request.row.kind;
}

Status check_certificate(Session& session, const Request& request, const x509::Certificate& certificate) {
  const auto serial = certificate.serial().hex();
  if (!session.generation_above(certificate).ok()) return bad_signature("certificate " + serial + " is not of this realm");
  PKI_TRY(auto* store, session.store());
  const auto record = store->certificate(certificate.serial());
  if (!record.ok()) return bad_signature("certificate " + serial + " is not known");
  const auto state = state_of(*record, session.clock().now());
  if (state != "valid") return bad_signature("certificate " + serial + " is " + state);
  const auto may = approval_signers(session, request);
  if (may.empty() || std::ranges::find(may, record->profile, &ProfileName::text) != may.end()) return {};
  return bad_signature("certificate " + serial + " is of profile " + record->profile + ", which approves nothing of " +
                       what_is_asked(request));
}

/// The signer counts certificates where the worker counts identities; both must be different people's.
Status check_other_certificate(const Request& request, const x509::Certificate& certificate) {
  const auto who = "cert:" + certificate.subject().to_slash();
  if (realm::may_be_same_person(who, request.row.requester)) return same_person(request.row.requester, "asks for it");
  for (const auto& one : realm::approvals_in(request.history, request.row.digest)) {
    if (one.certificate.empty()) continue;
    PKI_TRY(const auto other, x509::Certificate::from_der(one.certificate));
    if (realm::may_be_same_person(who, "cert:" + other.subject().to_slash())) return same_person(one.who, "has approved it");
  }
  return {};
}

Result<Signed> signed_by(Session& session, const Request& request, const Params& params) {
  const bool is_demanded = are_approvals_signed(session, request);
  if (params.has("certificate") != params.has("signature"))
    return Error(Code::InvalidParams, "one of certificate and signature is given, expected both or none");
  if (!params.has("certificate") && is_demanded)
    return Error(Code::PolicyRefused, what_is_asked(request) + " has approvals signed, found none",
                 "chancery request approve --key FILE --certificate FILE signs; certificates of approver_profiles, of a rollover "
                 "those of rollover_signers, may");
  if (!params.has("certificate")) return Signed{};
  PKI_TRY(const auto certificate, x509::Certificate::from_pem(params.text("certificate")));
  PKI_TRY_VOID(check_certificate(session, request, certificate));
  PKI_TRY_VOID(check_other_certificate(request, certificate));
  PKI_TRY(auto signature, base::from_base64(params.text("signature")));
  const auto key = certificate.public_key();
  PKI_TRY(const auto algorithm, crypto::algorithm_for(key.spec(), "sha256"));
  const auto text = base::approval_text(request.row.digest);
  if (!key.verify(algorithm, base::as_bytes(text), signature).ok())
    return bad_signature("it is not over the request's digest, " + request.row.digest);
  return Signed{Bytes(certificate.der().begin(), certificate.der().end()), std::move(signature)};
}

/// Whether one more approval is the last that is needed.
bool is_last(const Session& session, const Request& request, const std::string& who) {
  std::vector<std::string> names{who};
  for (const auto& one : realm::approvals_in(request.history, request.row.digest)) names.push_back(one.who);
  return realm::count_people(names, request.row.requester) >= static_cast<std::size_t>(approvals_needed(session, request.row));
}

/// The approver's look and the approval are about one content.
Status check_digest(const Request& request, const Params& params) {
  if (!params.has("digest") || params.text("digest") == request.row.digest) return {};
  return Error(Code::Conflict, "the request's digest is " + request.row.digest + ", found " + params.text("digest"),
               "it is not the request that was looked at: look again");
}

Result<Request> approve(Session& session, Request& request, const Params& params) {
  const auto actor = actor_of(session, request.parts);
  PKI_TRY_VOID(check_access_to_request(session, request));
  PKI_TRY([[maybe_unused]] const auto allowed, realm::next_state(request.state, RequestEvent::Approve, actor.parts));
  PKI_TRY_VOID(check_somebody_else(request, actor));
  PKI_TRY_VOID(bring_up_to_date(session, request));
  PKI_TRY_VOID(check_digest(request, params));
  PKI_TRY(auto proof, signed_by(session, request, params));
  const auto event = is_last(session, request, actor.who) ? RequestEvent::Grant : RequestEvent::Approve;
  PKI_TRY_VOID(advance(session, request, actor,
                       {.event = event,
                        .why = params.text("comment"),
                        .certificate = std::move(proof.certificate),
                        .signature = std::move(proof.signature)}));
  return request;
}

/// A revocation that is approved waits for nobody, and rules need nothing more than that.
void carry_out_at_once(Session& session, Request& request) {
  const bool waits = request.kind != realm::RequestKind::Revocation && request.kind != realm::RequestKind::RuleChange;
  if (waits || request.state != RequestState::Approved) return;
  const auto done = carry_out(session, request, realm_itself());
  if (!done.ok()) base::log_error("request " + request.row.id + " is approved and not done yet: " + done.error().message());
}

/// One event by the session, with what it says.
Result<Json> decide(Session& session, const Params& params, RequestEvent event) {
  PKI_TRY(const auto request, decide_on(session, params.text("request"), [&](Request& one) -> Result<Request> {
            if (event == RequestEvent::Reject) PKI_TRY_VOID(check_access_to_request(session, one));
            PKI_TRY_VOID(check_digest(one, params));
            PKI_TRY_VOID(advance(session, one, actor_of(session, one.parts), {.event = event, .why = params.text("comment")}));
            return one;
          }));
  return describe_request(session, request);
}

Status check_comments(const Session& session, const Request& request) {
  const auto made = std::ranges::count(request.history, realm::to_text(RequestEvent::Comment), &realm::HistoryEntry::what);
  const auto most = session.realm().requests.comments;
  if (made < most) return {};
  return Error(Code::TooLarge, std::to_string(made) + " comments, expected at most " + std::to_string(most) + " of one request");
}

}  // namespace

Result<Json> describe_made(Session& session, const Request& request) {
  auto out = Json::object({{"request", request.row.id}, {"state", realm::to_text(request.state)}});
  if (!request.row.serial.empty()) out.set("serial", request.row.serial);
  if (request.kind == realm::RequestKind::Rollover) PKI_TRY_VOID(describe_rollover_made(session, request, out));
  if (!realm::is_certified(request.kind)) return out;
  PKI_TRY(const auto serial, Serial::from_hex(request.row.serial));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, store->certificate(serial));
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.der));
  PKI_TRY(const auto issued, describe_issued(session, certificate, record.profile));
  for (const auto& [name, value] : *issued.as_object()) out.set(name, value);
  return out;
}

Result<Json> request_approve(Session& session, const Params& params) {
  PKI_TRY(auto request, decide_on(session, params.text("request"), [&](Request& one) { return approve(session, one, params); }));
  carry_out_at_once(session, request);
  return describe_request(session, request);
}

Result<Json> request_reject(Session& session, const Params& params) { return decide(session, params, RequestEvent::Reject); }
Result<Json> request_withdraw(Session& session, const Params& params) { return decide(session, params, RequestEvent::Withdraw); }

Result<Json> request_comment(Session& session, const Params& params) {
  PKI_TRY(const auto request, decide_on(session, params.text("request"), [&](Request& one) -> Result<Request> {
            PKI_TRY_VOID(check_comments(session, one));
            PKI_TRY(auto* store, session.store());
            PKI_TRY(const auto before, store->request_files(one.row.id));
            PKI_TRY(auto files, files_from(session, params.json("attachments"), before));
            PKI_TRY_VOID(advance(session, one, actor_of(session, one.parts),
                                 {.event = RequestEvent::Comment, .why = params.text("comment"), .files = std::move(files)}));
            return one;
          }));
  return describe_request(session, request);
}

Result<Json> request_retry(Session& session, const Params& params) {
  PKI_TRY(const auto request, decide_on(session, params.text("request"), [&](Request& one) -> Result<Request> {
            PKI_TRY_VOID(retry(session, one, actor_of(session, one.parts), params.text("comment")));
            return one;
          }));
  return describe_request(session, request);
}

Result<Json> request_pickup(Session& session, const Params& params) {
  PKI_TRY(const auto request, decide_on(session, params.text("request"), [&](Request& one) -> Result<Request> {
            const auto actor = actor_of(session, one.parts);
            if (!actor.parts.meet({realm::Part::Requester, realm::Part::Operator}))
              return Error(Code::Denied, "this request is not yours to pick up");
            PKI_TRY_VOID(carry_out(session, one, actor));
            return one;
          }));
  return describe_made(session, request);
}

}  // namespace chancery::worker
