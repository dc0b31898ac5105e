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
constexpr int kReportTries = 5;
constexpr std::chrono::milliseconds kReportPause{200};  ///< doubled after each try

/// Who runs the server is asked why, and the client may not say.
void log_failure(const Validation& validation, const Error& why) {
  base::log_info(validation.type + " of " + base::printable(validation.question.host) + " failed, authorization " +
                 validation.authorization + " of account " + validation.account + " in realm " + validation.realm + ": " +
                 base::printable(base::to_line(why)));
}

}  // namespace

Validator::Validator(http::Gateway& gateway) : gateway_(gateway), pool_("validator", kThreads, kMaxWaiting) {}

bool Validator::submit(Validation validation) {
  return pool_.submit([this, held = std::move(validation)] { run(held); });
}

void Validator::give_up(const Validation& validation) {
  report(validation, {acme_error("serverInternal", "too many validations wait already"), "not tried"});
}

void Validator::run(const Validation& validation) { report(validation, validate_http01(validation.question)); }

/// The daemon may be restarting just now: the verdict waits for it a little.
void Validator::report(const Validation& validation, const Verdict& verdict) {
  auto params = Json::object({{"authorization", validation.authorization},
                              {"type", validation.type},
                              {"claim", validation.claim},
                              {"valid", !verdict.error.has_value()},
                              {"evidence", verdict.evidence}});
  if (verdict.error) {
    log_failure(validation, *verdict.error);
    params.set("error", problem_document(to_problem(*verdict.error)));
  }
  auto pause = kReportPause;
  for (int i = 0; i < kReportTries; ++i, pause *= 2) {
    const auto reported = gateway_.call(validation.realm, "acme.challenge.finish", params, "acme:" + validation.account);
    if (reported.ok()) return;
    if (reported.error().code() != Code::Unavailable && reported.error().code() != Code::Closed) {
      return base::log_warning("verdict on authorization " + validation.authorization + ": " + base::to_line(reported.error()));
    }
    std::this_thread::sleep_for(pause);
  }
  base::log_error("verdict on authorization " + validation.authorization + " could not be reported");
}

}  // namespace chancery::acme
