#include "clients/validate/answer.h"

#include "clients/acme/problems.h"
#include "clients/acme/vantage_message.h"
#include "server/base/log.h"
#include "server/base/text.h"

namespace chancery::validate {
namespace {

acme::Verdict refuse(const std::string& why) { return {acme::acme_error("serverInternal", why), "not tried"}; }

acme::Verdict find_out(acme::Inquiry inquiry, const Terms& terms, const Look& look) {
  auto& rules = inquiry.question.rules;
  if (rules.grounds.allow_loopback && !terms.allow_loopback)
    return refuse("the realm allows loopback, and this vantage point does not: it would look at itself (--allow-loopback)");
  if (!terms.resolver.empty()) rules.resolver.server = terms.resolver;
  return inquiry.ask == acme::Ask::Proof ? look.proof(inquiry.question) : look.caa(inquiry.question);
}

void log_verdict(const acme::Inquiry& inquiry, const acme::Verdict& verdict) {
  const auto& question = inquiry.question;
  const auto what = inquiry.ask == acme::Ask::Caa ? std::string("CAA") : question.method;
  base::log_info(what + " of " + base::printable(question.name) + ": " +
                 (verdict.error ? "no: " + base::printable(verdict.error->message()) : std::string("yes")));
}

}  // namespace

std::string answer(std::string_view request, const Terms& terms, const Look& look) {
  const auto inquiry = acme::read_inquiry(request);
  if (!inquiry.ok()) return refusal(inquiry.error());
  const auto verdict = find_out(*inquiry, terms, look);
  log_verdict(*inquiry, verdict);
  return acme::to_text(acme::Reply{inquiry->id, verdict});
}

std::string refusal(const Error& why) {
  return acme::to_text(acme::Reply{"", refuse("no question that is answered here: " + base::to_line(why))});
}

}  // namespace chancery::validate
