#include "server/signer/operations.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/realm/rollover.h"
#include "server/signer/approvals.h"
#include "server/wire/message.h"
#include "server/x509/reasons.h"

namespace chancery::signer {
namespace {

constexpr std::int64_t kMostRecords = 1000;

Result<Json> audit_since(Issuer& issuer, const base::Clock& /*clock*/, const Json& params) {
  const auto limit = std::clamp<std::int64_t>(params.integer("limit"), 1, kMostRecords);
  const auto position = std::max<std::int64_t>(params.integer("position"), 0);
  PKI_TRY(const auto page,
          issuer.audit_since(static_cast<std::uint64_t>(position), static_cast<std::size_t>(limit), params.text("kind")));
  return to_json(page);
}

Result<Json> audit_verify(Issuer& issuer, const base::Clock& /*clock*/, const Json& /*params*/) {
  PKI_TRY_VOID(issuer.verify_journal());
  return Json::object();
}

std::string ca_of(const Json& params) { return params.text("ca", config::kFirstCa); }

Result<Json> authority(Issuer& issuer, const base::Clock& /*clock*/, const Json& params) {
  PKI_TRY(const auto info, issuer.authority(ca_of(params)));
  return to_json(info);
}

/// The request that a step is taken for, if there is one.
Result<std::optional<ApprovedRequest>> approved_in(const Json& params) {
  const auto* found = params.find("approved");
  if (found == nullptr) return std::optional<ApprovedRequest>();
  if (!found->is_object()) return Error(Code::Malformed, "approved is no object");
  PKI_TRY(auto approved, approved_request_from_json(*found));
  return std::optional(std::move(approved));
}

Status check_step(Issuer& issuer, const RolloverDeed& deed, const Json& params, Seconds now) {
  PKI_TRY(const auto approved, approved_in(params));
  return issuer.check_rollover(deed, approved, now);
}

/// The steps that have a generation in that state. What a CA does by itself as time goes by, Draining after a later one issues
/// and Retired, is not decided by people.
struct StepTo {
  realm::GenerationState state;
  realm::RolloverStep step;
};
constexpr std::array kStepsTo{StepTo{realm::GenerationState::Prepared, realm::RolloverStep::Start},
                              StepTo{realm::GenerationState::Active, realm::RolloverStep::Switch},
                              StepTo{realm::GenerationState::Aborted, realm::RolloverStep::Abort}};

Result<Json> create_generation(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(const auto wanted, new_generation_from_json(params));
  PKI_TRY_VOID(check_step(issuer, {wanted.ca, "start", wanted.from}, params, clock.now()));
  PKI_TRY_VOID(issuer.create_generation(wanted, clock.now()));
  return to_json(issuer.generations());
}

Result<Json> cross_sign(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY_VOID(check_step(issuer, {ca_of(params), "publish", {}}, params, clock.now()));
  PKI_TRY_VOID(issuer.cross_sign(ca_of(params), clock.now()));
  return to_json(issuer.generations());
}

Result<Json> generations(Issuer& issuer, const base::Clock& /*clock*/, const Json& /*params*/) {
  return to_json(issuer.generations());
}

Result<Json> set_generation(Issuer& issuer, const base::Clock& clock, const Json& params) {
  const auto state = realm::generation_state(params.text("state"));
  const auto* const found = state ? std::ranges::find(kStepsTo, *state, &StepTo::state) : kStepsTo.end();
  if (found != kStepsTo.end())
    PKI_TRY_VOID(check_step(issuer, {ca_of(params), std::string(realm::to_text(found->step)), {}}, params, clock.now()));
  PKI_TRY_VOID(issuer.set_generation(ca_of(params), params.text("state"), params.text("requester"), clock.now()));
  return to_json(issuer.generations());
}

Result<Json> import_certificate(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY_VOID(issuer.import_certificate(params.text("chain"), clock.now(), ca_of(params)));
  base::log_info("CA " + ca_of(params) + " has its certificate");
  return Json::object();
}

Result<Json> journal_since(Issuer& issuer, const base::Clock& /*clock*/, const Json& params) {
  const auto limit = std::clamp<std::int64_t>(params.integer("limit"), 1, kMostRecords);
  const auto position = std::max<std::int64_t>(params.integer("position"), 0);
  PKI_TRY(const auto page, issuer.journal_since(static_cast<std::uint64_t>(position), static_cast<std::size_t>(limit)));
  return to_json(page);
}

Result<Json> ping(Issuer& /*issuer*/, const base::Clock& /*clock*/, const Json& /*params*/) { return Json::object(); }

Result<Json> publish_crl(Issuer& issuer, const base::Clock& /*clock*/, const Json& params) {
  PKI_TRY(const auto der, base::from_base64(params.text("crl")));
  PKI_TRY_VOID(issuer.publish_crl(der, ca_of(params)));
  return Json::object();
}

Result<Json> published_crl(Issuer& issuer, const base::Clock& /*clock*/, const Json& params) {
  PKI_TRY(const auto crl, issuer.published_crl(ca_of(params), params.boolean("delta")));
  return Json::object({{"crl", base::to_base64(crl.der())}});
}

/// What is revoked for something that no CRL can say would stop every CRL of the realm (RFC 5280 5.3.1).
Status check_reason(const AuditEvent& event) {
  const auto about = event.what == kStateChange ? wire::parse_json(event.about) : Result<Json>(Json::object());
  const auto reason = about.ok() ? about->text("reason") : std::string();
  if (reason.empty()) return {};
  PKI_TRY(const auto number, x509::reason_from_name(reason));
  if (number != x509::kReasonRemoveFromCrl && reason == x509::reason_name(number)) return {};
  return Error(Code::InvalidParams,
               "found reason " + base::printable(reason, 40) + ", expected one that something is revoked for");
}

/// The signer's own clock says when: a worker's word is evidence, not a date.
Result<Json> record(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(auto event, audit_event_from_json(params));
  // An import writes those, before there are workers: the store would be made to follow them.
  if (event.phase == kImportPhase || event.what == kAdminImport)
    return Error(Code::PolicyRefused, "an event of an import, which only an import writes");
  PKI_TRY_VOID(check_reason(event));
  event.at = clock.now();
  PKI_TRY_VOID(issuer.record(event));
  return Json::object();
}

Json with_octets(const Bytes& octets) { return Json::object({{"octets", base::to_base64(octets)}}); }

Result<Json> ra_open(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(const auto question, ra_question_from_json(params));
  PKI_TRY(const auto content, issuer.open_for_ra(question, clock.now()));
  return with_octets(content);
}

Result<Json> ra_sign(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(const auto question, ra_question_from_json(params));
  PKI_TRY(const auto signed_data, issuer.sign_for_ra(question, clock.now()));
  return with_octets(signed_data);
}

Result<Json> renew_services(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY_VOID(issuer.renew_services(params.text("requester"), clock.now()));
  return to_json(issuer.services(clock.now()));
}

Result<Json> services(Issuer& issuer, const base::Clock& clock, const Json& /*params*/) {
  return to_json(issuer.services(clock.now()));
}

Result<Json> sign_ocsp(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(const auto question, ocsp_question_from_json(params));
  PKI_TRY(const auto answer, issuer.sign_ocsp(question, clock.now()));
  return to_json(answer);
}

Result<Json> secret_clear(Issuer& issuer, const base::Clock& /*clock*/, const Json& /*params*/) {
  PKI_TRY(const auto status, issuer.clear_secret());
  return to_json(status);
}

Result<Json> secret_enter(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(const auto entry, secret_entry_from_json(params));
  PKI_TRY(const auto status, issuer.enter_secret(entry, clock.now()));
  return to_json(status);
}

Result<Json> secret_status(Issuer& issuer, const base::Clock& /*clock*/, const Json& /*params*/) {
  return to_json(issuer.secret_status());
}

Result<Json> sign_certificate(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(const auto request, sign_request_from_json(params));
  PKI_TRY(const auto answer, issuer.sign_certificate(request, clock.now()));
  return to_json(answer);
}

Result<Json> sign_crl(Issuer& issuer, const base::Clock& clock, const Json& params) {
  PKI_TRY(const auto request, crl_request_from_json(params));
  PKI_TRY(const auto answer, issuer.sign_crl(request, clock.now()));
  return to_json(answer);
}

Result<Json> unknown_serials(Issuer& issuer, const base::Clock& /*clock*/, const Json& params) {
  PKI_TRY(const auto asked, serials_from_json(params));
  return to_json(issuer.unknown_serials(asked));
}

struct Operation {
  std::string_view name;
  Result<Json> (*run)(Issuer&, const base::Clock&, const Json&);
};
constexpr std::array kOperations{
    Operation{"audit_since", audit_since},
    Operation{"audit_verify", audit_verify},
    Operation{"authority", authority},
    Operation{"create_generation", create_generation},
    Operation{"cross_sign", cross_sign},
    Operation{"generations", generations},
    Operation{"import_certificate", import_certificate},
    Operation{"journal_since", journal_since},
    Operation{"ping", ping},
    Operation{"publish_crl", publish_crl},
    Operation{"published_crl", published_crl},
    Operation{"ra_open", ra_open},
    Operation{"ra_sign", ra_sign},
    Operation{"record", record},
    Operation{"renew_services", renew_services},
    Operation{"secret_clear", secret_clear},
    Operation{"secret_enter", secret_enter},
    Operation{"secret_status", secret_status},
    Operation{"services", services},
    Operation{"set_generation", set_generation},
    Operation{"sign_certificate", sign_certificate},
    Operation{"sign_crl", sign_crl},
    Operation{"sign_ocsp", sign_ocsp},
    Operation{"unknown_serials", unknown_serials},
};
static_assert(std::ranges::is_sorted(kOperations, {}, &Operation::name));

Result<Json> run(Issuer& issuer, const base::Clock& clock, const wire::Request& request) {
  const auto found = std::ranges::find(kOperations, request.method, &Operation::name);
  if (found == kOperations.end()) return Error(Code::UnknownMethod, "no signer operation \"" + request.method + "\"");
  return found->run(issuer, clock, request.params);
}

Result<wire::Request> decode(std::string_view line) {
  PKI_TRY(auto message, wire::parse_json(line));
  const auto* id = message.find("id");
  const auto* params = message.find("params");
  const auto* method = message.find("method");
  if (id == nullptr || id->as_integer() == nullptr || method == nullptr || !method->is_string() || params == nullptr ||
      !params->is_object()) {
    return Error(Code::Malformed, "no frame of a worker");
  }
  return wire::Request{*id, *method->as_string(), *params, {}};
}

}  // namespace

Result<std::string> operate(Issuer& issuer, const base::Clock& clock, std::string_view line) {
  PKI_TRY(const auto request, decode(line));
  const auto outcome = run(issuer, clock, request);
  // A worker decides by the same rules before it asks, so what is refused here is worth an operator's look.
  if (!outcome.ok())
    base::log_warning("refused " + request.method + " " + request.params.text("serial") + " for " +
                      request.params.text("requester") + ": " + outcome.error().message());
  return outcome.ok() ? wire::encode_result(request.id, *outcome) : wire::encode_error(request.id, outcome.error());
}

}  // namespace chancery::signer
