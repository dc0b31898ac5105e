#include "server/worker/request_realm.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/config/rules_text.h"
#include "server/worker/access.h"
#include "server/worker/policy_text.h"
#include "server/worker/request_work.h"
#include "server/worker/rollover_commands.h"
#include "server/worker/rules_gate.h"

namespace chancery::worker {
namespace {

using realm::RequestKind;
using realm::RolloverState;
using realm::RolloverStep;

constexpr std::array kRealmRules{
    RealmRule{RequestKind::Rollover, &config::RequestsConfig::rollover_approvals, &config::RequestsConfig::rollover_roles},
    RealmRule{RequestKind::RuleChange, &config::RequestsConfig::rule_approvals, &config::RequestsConfig::rule_roles}};

// ----- rollovers

/// The steps that a request is for, in their order.
std::vector<RolloverStep> steps_of(const std::string& text) {
  if (text == realm::kWholeRollover) return {RolloverStep::Start, RolloverStep::Publish, RolloverStep::Switch};
  std::vector<RolloverStep> steps;
  std::ranges::copy_if(realm::kRolloverSteps, std::back_inserter(steps),
                       [&](RolloverStep one) { return realm::to_text(one) == text; });
  return steps;
}

/// The states that a rollover goes through one after the other, and the one that each step leads to.
constexpr std::array kForward{RolloverState::Prepared,  RolloverState::Publishing, RolloverState::Published,
                              RolloverState::Switching, RolloverState::Draining,   RolloverState::Retiring,
                              RolloverState::Retired};
struct LeadsTo {
  RolloverStep step;
  RolloverState state;
};
constexpr std::array kLeadsTo{
    LeadsTo{RolloverStep::Start, RolloverState::Prepared}, LeadsTo{RolloverStep::Publish, RolloverState::Published},
    LeadsTo{RolloverStep::Switch, RolloverState::Draining}, LeadsTo{RolloverStep::Retire, RolloverState::Retired},
    LeadsTo{RolloverStep::Abort, RolloverState::Aborted}};

/// Whether a rollover in that state has that step behind it.
bool is_behind(RolloverState state, RolloverStep step) {
  const auto end = std::ranges::find(kLeadsTo, step, &LeadsTo::step)->state;
  const auto* const at = std::ranges::find(kForward, state);
  return state == end || (at != kForward.end() && std::ranges::find(kForward, end) <= at);
}

/// The rollover that makes a generation; none: it has not begun.
Result<std::optional<store::CaRollover>> rollover_to(Session& session, const std::string& label) {
  PKI_TRY(const auto parsed, realm::parse_label(label));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto rows, store->ca_rollovers(parsed.name));
  const auto found = std::ranges::find(rows, label, &store::CaRollover::new_label);
  return found == rows.end() ? std::nullopt : std::optional(*found);
}

Result<RolloverState> state_of_rollover(Session& session, const std::string& label) {
  PKI_TRY(const auto row, rollover_to(session, label));
  return row ? realm::rollover_state(row->state).value_or(RolloverState::None) : RolloverState::None;
}

/// The generation that a request for a later step names, or the newest that is made for the CA that it names.
Result<std::string> generation_in_hand(Session& session, const std::string& ca) {
  PKI_TRY(const auto label, realm::parse_label(ca));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto rows, store->ca_rollovers(label.name));
  if (label.text() == ca && label.number > 1) {
    const auto found = std::ranges::find(rows, ca, &store::CaRollover::new_label);
    if (found != rows.end()) return ca;
  } else if (!rows.empty()) {
    return rows.front().new_label;
  }
  return Error(Code::NotFound, "no rollover of \"" + base::printable(ca, 80) + "\" has begun",
               "ask for the step start, or for the whole");
}

/// Sees to it that the signer is shown the request, and nothing else is done for it afterwards.
class ForRequest {
 public:
  ForRequest(Session& session, signer::ApprovedRequest approved) : session_(session) {
    session_.take_step_for(std::move(approved));
  }
  ForRequest(const ForRequest&) = delete;
  ForRequest& operator=(const ForRequest&) = delete;
  ~ForRequest() { session_.take_step_for({}); }

 private:
  Session& session_;
};

std::string first(const Request& request, std::string_view name) {
  auto values = realm::values_in(request.row.content, name);
  return values.empty() ? std::string() : std::move(values.front());
}

Status take(Session& session, const realm::Label& label, const std::string& source, RolloverStep step) {
  auto params = Json::object({{"ca", label.name}});
  if (step != RolloverStep::Start) params.set("generation", label.text());
  if (step == RolloverStep::Start) {
    PKI_TRY(const auto next, next_generation(session, label.name));
    if (next.label != label.text())
      return Error(Code::PolicyRefused, "the next generation is " + next.label + " by now, approved is " + label.text(),
                   "ask for it anew");
    params.set("from", source);
  }
  const Params read(params);
  const auto taken = take_rollover_step(session, read, step);
  return taken.ok() ? Status() : Status(taken.error());
}

// ----- rules

std::string told(const std::vector<config::Finding>& findings) {
  std::vector<std::string> lines;
  for (const auto& one : findings) {
    if (one.severity == config::Finding::Error) lines.push_back(config::to_line(one));
  }
  return base::join(lines, "; ");
}

}  // namespace

const RealmRule* realm_rule(RequestKind kind) {
  const auto* const found = std::ranges::find(kRealmRules, kind, &RealmRule::kind);
  return found == kRealmRules.end() ? nullptr : found;
}

bool may_take_alone(const Session& session, const RequestWish& wish) {
  if (wish.kind != RequestKind::Rollover || session.realm().requests.rollover_approvals > 0) return false;
  const auto steps = steps_of(wish.step);
  return !steps.empty() && std::ranges::all_of(steps, [&](RolloverStep step) {
    return may_run(session, "ca.rollover." + std::string(realm::to_text(step)));
  });
}

Status check_may_ask(const Session& session, RequestKind kind) {
  const auto* rule = realm_rule(kind);
  if (rule == nullptr) return {};
  PKI_TRY_VOID(check_access_to_none(session));
  const auto& requests = session.realm().requests;
  if (!session.identity().roles.allow(Role::CaOperator) && !has_role_among(session.identity(), requests.*(rule->roles)))
    return Error(Code::Denied, "a " + std::string(realm::to_text(kind)) + " is asked for by whoever is a ca-operator");
  if (kind == RequestKind::RuleChange && requests.rule_approvals == 0)
    return Error(Code::PolicyRefused, "the rules of this realm need no approval, so there is nothing to ask for",
                 "write them into ca.config.yml and reload; requests.rule_approvals has them approved");
  return {};
}

Result<realm::RequestContent> rollover_content(Session& session, const RequestWish& wish, realm::RequestContent content) {
  const auto steps = steps_of(wish.step);
  if (steps.empty()) return Error(Code::Corrupt, "request for the unknown step \"" + base::printable(wish.step, 40) + "\"");
  content.step = wish.step;
  if (steps.front() == RolloverStep::Start) {
    PKI_TRY(const auto next, next_generation(session, wish.ca));
    content.ca = next.label;
    content.source = wish.from.empty() ? next.source : wish.from;
  } else {
    PKI_TRY(content.ca, generation_in_hand(session, wish.ca));
  }
  PKI_TRY(const auto state, state_of_rollover(session, content.ca));
  if (is_behind(state, steps.back()))
    return Error(Code::Conflict, "the rollover to " + content.ca + " is " + std::string(realm::to_text(state)) + " already",
                 "possible: " + realm::steps_from(state));
  return content;
}

Result<realm::RequestContent> rules_content(const Session& session, const RequestWish& wish, realm::RequestContent content) {
  std::vector<config::Finding> findings;
  const auto realm = realm_with_rules(session.realm(), wish.config, findings);
  if (!realm) return Error(Code::InvalidParams, "parameter config: " + told(findings), "chanceryd --check says the same");
  if (config::rules_text(*realm) == config::rules_text(session.realm()))
    return Error(Code::InvalidParams, "parameter config: found the rules that are in force, expected others",
                 "doc/four-eyes.md says what of ca.config.yml is covered");
  content.rules = rules_digest(*realm);
  return content;
}

Result<std::string> roll_over(Session& session, const Request& request, signer::ApprovedRequest approved) {
  const auto ca = first(request, "ca");
  const auto source = first(request, "source");
  PKI_TRY(const auto label, realm::parse_label(ca));
  approved.requester = request.row.requester;
  approved.front_end = request.row.front_end;
  approved.step = first(request, "step");
  approved.source = source;
  const auto steps = steps_of(approved.step);
  const ForRequest scope(session, std::move(approved));
  for (const auto step : steps) {
    PKI_TRY(const auto state, state_of_rollover(session, ca));
    if (!is_behind(state, step)) PKI_TRY_VOID(take(session, label, source, step));
  }
  return std::string();
}

Result<std::string> approve_rules(Session& session, const Request& request) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->set_meta(kRulesApproved, request.row.id));
  return std::string();
}

void describe_realm_request(const Session& session, const Request& request, Json& out) {
  for (const auto* name : {"ca", "step", "rules"}) {
    if (auto value = first(request, name); !value.empty()) out.set(name, value);
  }
  if (request.kind != RequestKind::RuleChange) return;
  const auto wish = wish_of(request.row);
  if (!wish.ok()) return;
  std::vector<config::Finding> findings;
  const auto realm = realm_with_rules(session.realm(), wish->config, findings);
  out.set("config", wish->config);
  out.set("differences", Json::strings(realm ? config::rule_differences(session.realm(), *realm) : std::vector{told(findings)}));
}

Status describe_rollover_made(Session& session, const Request& request, Json& out) {
  const auto ca = first(request, "ca");
  PKI_TRY(const auto state, state_of_rollover(session, ca));
  out.set("ca", ca).set("rollover", realm::to_text(state));
  return {};
}

}  // namespace chancery::worker
