#include "server/worker/audit.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

/// The parameters that name things: nothing secret, nothing long.
constexpr std::array kNaming{
    std::string_view{"commands"}, std::string_view{"digest"}, std::string_view{"id"},         std::string_view{"roles"},
    std::string_view{"account"},  std::string_view{"ca"},     std::string_view{"cn"},         std::string_view{"dn"},
    std::string_view{"days"},     std::string_view{"from"},   std::string_view{"generation"}, std::string_view{"idempotency_key"},
    std::string_view{"kind"},     std::string_view{"level"},  std::string_view{"order"},      std::string_view{"profile"},
    std::string_view{"request"},  std::string_view{"reason"}, std::string_view{"serial"},     std::string_view{"stack"},
    std::string_view{"subject"},  std::string_view{"user"}};
constexpr std::size_t kMaxAbout = 1024;
constexpr std::size_t kMaxOutcome = 1024;
/// Refusals that say something about who tried; a missing name or a typing error does not.
constexpr std::array kTold{Code::Denied, Code::AuthFailed, Code::PolicyRefused, Code::BadProof, Code::BadKey, Code::LintFailed};

std::string about(const Json& params) {
  auto named = Json::object();
  for (const auto name : kNaming) {
    if (const auto* value = params.find(name)) named.set(name, *value);
  }
  const auto text = wire::to_text(named);
  return text.size() <= kMaxAbout ? text : base::printable(text.substr(0, kMaxAbout - 4), kMaxAbout);
}

/// By which of a person's tokens.
std::string token_of(const Session& session) {
  const auto& login = session.person_login();
  return login && !login->token.empty() ? " token " + login->token : std::string();
}

signer::AuditEvent event_of(const Session& session, const std::string& what, std::string about, std::string phase,
                            const std::string& outcome) {
  return {.what = what,
          .phase = std::move(phase),
          .requester = session.requester(),
          .front_end = session.identity().front_end,
          .peer = "uid " + std::to_string(session.peer().uid) + " pid " + std::to_string(session.peer().pid) + token_of(session),
          .about = std::move(about),
          .roles = base::join(session.identity().roles.names(), " "),
          .outcome = outcome.substr(0, kMaxOutcome)};
}

Status record(Session& session, const signer::AuditEvent& event) {
  for (int attempt = 0;; ++attempt) {
    PKI_TRY(auto* signer, session.signer());
    auto recorded = signer->record(event);
    const bool lost = !recorded.ok() && (recorded.error().code() == Code::Closed || recorded.error().code() == Code::Timeout);
    if (!lost || attempt > 0) return recorded;  // restarted meanwhile: an event twice is better than none
  }
}

Status must_record(Session& session, const signer::AuditEvent& event) {
  auto recorded = record(session, event);
  if (recorded.ok()) return recorded;
  return Error(recorded.error().code(), "not done, since it cannot be recorded: " + recorded.error().message(),
               "the realm's journal must be writable; see realm.get");
}

std::string text_of(const Error& error) { return std::string(base::describe(error.code()).text) + ": " + error.message(); }

}  // namespace

Status audit_begin(Session& session, const wire::Request& request) {
  return must_record(session, event_of(session, request.method, about(request.params), "begin", {}));
}

Status audit_result(Session& session, const std::string& what, const Json& about, const std::string& outcome) {
  return must_record(session, event_of(session, what, wire::to_text(about), "end", outcome));
}

Status audit_state(Session& session, const Json& about) {
  return must_record(session, event_of(session, std::string(kStateChange), wire::to_text(about), "begin", {}));
}

Status audit_deed(Session& session, std::string_view what, const Json& about) {
  return must_record(session, event_of(session, std::string(what), wire::to_text(about), "begin", {}));
}

void audit_end(Session& session, const wire::Request& request, const Result<Json>& outcome) {
  const auto recorded = record(
      session, event_of(session, request.method, about(request.params), "end", outcome.ok() ? "ok" : text_of(outcome.error())));
  if (!recorded.ok()) base::log_error("the outcome of " + request.method + " is not recorded: " + recorded.error().message());
}

void audit_refusal(Session& session, const wire::Request& request, const Error& refusal) {
  if (!session.is_open() || std::ranges::find(kTold, refusal.code()) == kTold.end()) return;
  const int count = session.count_refusal();
  if (count > kMostRefusals) return;
  auto outcome = text_of(refusal);
  if (count == kMostRefusals) outcome = "further refusals of this minute are in the log only; " + outcome;
  const auto recorded = record(session, event_of(session, request.method, about(request.params), "refused", outcome));
  if (!recorded.ok()) base::log_error("a refusal is not recorded: " + recorded.error().message());
}

}  // namespace chancery::worker
