#include "clients/dns/caa.h"

#include "clients/acme/challenge.h"
#include "clients/acme/problems.h"
#include "server/base/address.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kNobodys = "CAA: not a name of the DNS";

Result<std::vector<std::string>> records_of(dns::Lookup& lookup, const std::string& name, Deadline deadline) {
  PKI_TRY(auto answer, lookup.ask({name, dns::Type::Caa}, deadline));
  return std::move(answer.records);
}

}  // namespace

Status check_caa(const Question& question, Deadline deadline, Evidence& evidence) {
  if (question.is_address || base::is_localhost(question.name)) {
    evidence.note(std::string(kNobodys));
    return {};
  }
  auto lookup = dns::Lookup::open(question.rules.resolver);
  if (!lookup.ok()) return as_dns_error(lookup.error());
  const dns::CaaWish wish{question.name, question.wildcard, question.rules.caa_issuers, question.account_url, question.method};
  const auto found = dns::check_caa(wish, [&](const std::string& name) { return records_of(*lookup, name, deadline); });
  evidence.note(found.ok() ? *found : found.error().message());
  if (found.ok()) return {};
  return found.error().code() == Code::Denied ? acme_error("caa", found.error().message()) : as_dns_error(found.error());
}

}  // namespace chancery::acme
