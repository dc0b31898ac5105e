#include "clients/acme/validator.h"

#include <chrono>
#include <thread>
#include <utility>

#include "clients/acme/problems.h"
#include "server/base/log.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr std::size_t kThreads = 16;  ///< which mostly wait for others' servers
constexpr http::FairQueue::Limits kLimits{.running_each = 2, .waiting_each = 50, .waiting_all = 1000};
/// One that waited longer is left to the next who asks: its claim (AcmeConfig::claim_life) could end before the verdict.
constexpr std::chrono::seconds kMaxWait{10};
constexpr int kReportTries = 5;
constexpr std::chrono::milliseconds kReportPause{200};  ///< doubled after each try

/// Who runs the server is asked why, and the client may not say.
void log_failure(const Validation& validation, const Error& why) {
  const auto& question = validation.question;
  const auto what = validation.kind == Validation::Kind::Caa ? std::string("CAA") : question.method;
  base::log_info(what + " of " + base::printable(question.name) + " failed, authorization " + validation.authorization +
                 " of account " + validation.account + " in realm " + validation.realm + ": " +
                 base::printable(base::to_line(why)));
}

/// The command that hears of it.
std::string_view command_of(const Validation& validation) {
  return validation.kind == Validation::Kind::Challenge ? "acme.challenge.finish" : "acme.caa.finish";
}

/// What it always hears.
Json params_of(const Validation& validation, bool found) {
  auto params = Json::object({{"authorization", validation.authorization}, {"claim", validation.claim}});
  if (validation.kind == Validation::Kind::Caa) return params.set("order", validation.order).set("allowed", found);
  return params.set("type", validation.question.method).set("valid", found);
}

Json report_of(const Validation& validation, const Verdict& verdict) {
  const bool found = !verdict.error.has_value();
  auto params = params_of(validation, found).set("evidence", verdict.evidence);
  if (validation.kind == Validation::Kind::Challenge) params.set("caa_checked", verdict.caa_checked);
  if (verdict.error) params.set("error", problem_document(to_problem(*verdict.error)));
  return params;
}

}  // namespace

Validator::Validator(http::Gateway& gateway, std::unique_ptr<Panel> panel)
    : gateway_(gateway), panel_(std::move(panel)), pool_("validator", kThreads, kLimits) {}

void Validator::submit(Validation validation) {
  const auto since = std::chrono::steady_clock::now();
  const auto job = [this, validation, since] {
    if (std::chrono::steady_clock::now() - since <= kMaxWait) return run(validation);
    give_back(validation, "it waited too long for its turn");
  };
  if (!pool_.submit({owner_of(validation.realm, validation.account)}, job)) give_back(validation, "too many wait already");
}

/// Where the daemon does not hear of it, the claim ends by itself.
void Validator::give_back(const Validation& validation, const std::string& why) {
  base::log_info("authorization " + validation.authorization + " of account " + validation.account + " in realm " +
                 validation.realm + " is not validated now: " + why + ", the next look at it begins it again");
  const auto params = params_of(validation, false).set("untried", true);
  const auto told = gateway_.call(validation.realm, command_of(validation), params, "acme:" + validation.account);
  if (!told.ok()) base::log_warning("claim on authorization " + validation.authorization + ": " + base::to_line(told.error()));
  if (validation.when_over) validation.when_over(std::nullopt);
}

void Validator::run(const Validation& validation) {
  auto outcome = report(validation, find_out(validation));
  if (validation.when_over) validation.when_over(std::move(outcome));
}

/// This program first: where it finds nothing, nobody else is asked (PROMISES I10).
Verdict Validator::find_out(const Validation& validation) {
  const auto ask = validation.kind == Validation::Kind::Challenge ? Ask::Proof : Ask::Caa;
  const auto own = ask == Ask::Proof ? validate(validation.question) : recheck_caa(validation.question);
  const auto& vantage = validation.vantage;
  if (own.error || vantage.points.empty()) return own;
  if (panel_) return decide(own, panel_->ask({.ask = ask, .question = validation.question}, vantage, own), vantage.quorum);
  return {
      acme_error("serverInternal", "the realm's vantage points could not be asked: this front end has no key to ask them with"),
      own.evidence};
}

/// The daemon may be restarting just now: the verdict waits for it a little.
std::optional<Json> Validator::report(const Validation& validation, const Verdict& verdict) {
  const auto params = report_of(validation, verdict);
  if (verdict.error) log_failure(validation, *verdict.error);
  auto pause = kReportPause;
  for (int i = 0; i < kReportTries; ++i, pause *= 2) {
    auto reported = gateway_.call(validation.realm, command_of(validation), params, "acme:" + validation.account);
    if (reported.ok()) return std::move(*reported);
    if (reported.error().code() != Code::Unavailable && reported.error().code() != Code::Closed) {
      base::log_warning("verdict on authorization " + validation.authorization + ": " + base::to_line(reported.error()));
      return std::nullopt;
    }
    std::this_thread::sleep_for(pause);
  }
  base::log_error("verdict on authorization " + validation.authorization + " could not be reported");
  return std::nullopt;
}

}  // namespace chancery::acme
