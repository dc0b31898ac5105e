#include "clients/acme/validator.h"

#include <chrono>
#include <thread>
#include <utility>

#include "clients/acme/problems.h"
#include "server/base/log.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr std::size_t kThreads = 8;
constexpr std::size_t kMaxWaiting = 1000;
/// One that waited longer is left to the next who asks: its claim (30 s) could end before the verdict, which may take twice
/// kValidationLimit.
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

Json report_of(const Validation& validation, const Verdict& verdict) {
  const bool found = !verdict.error.has_value();
  auto params =
      Json::object({{"authorization", validation.authorization}, {"claim", validation.claim}, {"evidence", verdict.evidence}});
  if (validation.kind == Validation::Kind::Caa) {
    params.set("order", validation.order).set("allowed", found);
  } else {
    params.set("type", validation.question.method).set("valid", found).set("caa_checked", verdict.caa_checked);
  }
  if (verdict.error) params.set("error", problem_document(to_problem(*verdict.error)));
  return params;
}

}  // namespace

Validator::Validator(http::Gateway& gateway, std::unique_ptr<Panel> panel)
    : gateway_(gateway), panel_(std::move(panel)), pool_("validator", kThreads, kMaxWaiting) {}

void Validator::submit(Validation validation) {
  const auto since = std::chrono::steady_clock::now();
  const auto job = [this, validation, since] {
    if (std::chrono::steady_clock::now() - since <= kMaxWait) return run(validation);
    base::log_warning("authorization " + validation.authorization + " of account " + validation.account +
                      " waited too long for its validation: it is left to the next request for it");
  };
  if (pool_.submit(job)) return;
  report(validation, {acme_error("serverInternal", "too many validations wait already"), "not tried"});
}

void Validator::run(const Validation& validation) { report(validation, find_out(validation)); }

/// This program first: where it finds nothing, nobody else is asked (PROMISES I10).
Verdict Validator::find_out(const Validation& validation) {
  const auto ask = validation.kind == Validation::Kind::Challenge ? Ask::Proof : Ask::Caa;
  const auto own = ask == Ask::Proof ? validate(validation.question) : recheck_caa(validation.question);
  const auto& vantage = validation.vantage;
  if (own.error || vantage.points.empty()) return own;
  if (panel_) return decide(own, panel_->ask({.ask = ask, .question = validation.question}, vantage.points), vantage.quorum);
  return {
      acme_error("serverInternal", "the realm's vantage points could not be asked: this front end has no key to ask them with"),
      own.evidence};
}

/// The daemon may be restarting just now: the verdict waits for it a little.
void Validator::report(const Validation& validation, const Verdict& verdict) {
  const auto method = validation.kind == Validation::Kind::Challenge ? "acme.challenge.finish" : "acme.caa.finish";
  const auto params = report_of(validation, verdict);
  if (verdict.error) log_failure(validation, *verdict.error);
  auto pause = kReportPause;
  for (int i = 0; i < kReportTries; ++i, pause *= 2) {
    const auto reported = gateway_.call(validation.realm, method, params, "acme:" + validation.account);
    if (reported.ok()) return;
    if (reported.error().code() != Code::Unavailable && reported.error().code() != Code::Closed) {
      return base::log_warning("verdict on authorization " + validation.authorization + ": " + base::to_line(reported.error()));
    }
    std::this_thread::sleep_for(pause);
  }
  base::log_error("verdict on authorization " + validation.authorization + " could not be reported");
}

}  // namespace chancery::acme
