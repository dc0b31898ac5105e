#include "clients/acme/challenge.h"

#include <algorithm>
#include <array>
#include <thread>

#include "clients/acme/problems.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr std::size_t kMaxEvidence = 2000;  ///< octets, see acme.challenge.finish

constexpr std::array kMethods{
    Method{"dns-01", prove_dns01},   Method{"dns-account-01", prove_dns_account01}, Method{"dns-persist-01", prove_dns_persist01},
    Method{"http-01", prove_http01}, Method{"tls-alpn-01", prove_tlsalpn01},
};
static_assert(std::ranges::is_sorted(kMethods, {}, &Method::name));

/// Between tries: a record that is being published, a server that is being restarted.
constexpr std::array kPauses{std::chrono::milliseconds(300), std::chrono::milliseconds(700), std::chrono::milliseconds(1500)};

/// Tries until it is done, will not pass by itself, or the time is over.
Status try_again(Prove prove, const Question& question, Evidence& evidence) {
  const auto deadline = std::chrono::steady_clock::now() + kValidationLimit;
  auto outcome = prove(question, deadline, evidence);
  for (const auto pause : kPauses) {
    if (outcome.ok() || !is_passing(outcome.error())) return outcome;
    if (std::chrono::steady_clock::now() + pause >= deadline) return outcome;
    std::this_thread::sleep_for(pause);
    outcome = prove(question, deadline, evidence);
  }
  return outcome;
}

std::optional<Error> error_of(const Status& status) { return status.ok() ? std::nullopt : std::optional(status.error()); }

}  // namespace

void Evidence::note(const std::string& line) {
  const auto shown = (text_.empty() ? "" : "; ") + base::printable(line, kMaxEvidence);
  if (text_.size() + shown.size() <= kMaxEvidence) text_ += shown;
}

std::span<const Method> methods() { return kMethods; }

const Method* find_method(std::string_view name) {
  const auto found = std::ranges::lower_bound(kMethods, name, {}, &Method::name);
  return found != kMethods.end() && found->name == name ? &*found : nullptr;
}

Verdict validate(const Question& question) {
  Evidence evidence;
  const auto proved = try_again(find_method(question.method)->prove, question, evidence);
  if (!proved.ok() || question.rules.caa_issuers.empty()) return {error_of(proved), evidence.text()};
  const auto allowed = try_again(check_caa, question, evidence);
  return {error_of(allowed), evidence.text(), allowed.ok()};
}

Verdict recheck_caa(const Question& question) {
  Evidence evidence;
  const auto allowed = try_again(check_caa, question, evidence);
  return {error_of(allowed), evidence.text(), allowed.ok()};
}

Error as_dns_error(const Error& error) {
  constexpr std::array kPassing{Code::Timeout, Code::Unavailable, Code::NotFound};
  const bool passing = std::ranges::find(kPassing, error.code()) != kPassing.end();
  return passing ? passing_error("dns", error.message()) : acme_error("dns", error.message());
}

}  // namespace chancery::acme
