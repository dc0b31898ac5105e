#include "clients/acme/vantage_message.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// What a front end asks a vantage point, and what that answers: each is the other's stranger.
FUZZ_TARGET(vantage_message) {
  if (const auto inquiry = acme::read_inquiry(input); inquiry.ok()) {
    const auto text = acme::to_text(*inquiry);
    const auto again = acme::read_inquiry(text);
    fuzz::hold(again.ok() && acme::to_text(*again) == text);
    fuzz::hold(inquiry->ask == acme::Ask::Caa || acme::find_method(inquiry->question.method) != nullptr);
  }
  if (const auto reply = acme::read_reply(input); reply.ok()) {
    fuzz::hold(!reply->id.empty() || reply->verdict.error);
    fuzz::hold(!reply->verdict.caa_checked || !reply->verdict.error);
    const auto again = acme::read_reply(acme::to_text(*reply));
    fuzz::hold(again.ok() && again->verdict.error.has_value() == reply->verdict.error.has_value());
  }
}
