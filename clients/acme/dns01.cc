#include "clients/acme/dns01.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "clients/acme/problems.h"
#include "clients/dns/records.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kLabel = "_acme-challenge";
constexpr std::string_view kPersistLabel = "_validation-persist";
constexpr std::size_t kAccountOctets = 10;

/// RFC 4648 6 in lower case. @pre a multiple of five octets, so that nothing is padded.
std::string to_base32(ByteView octets) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  PKI_CHECK(octets.size() % 5 == 0);
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const auto octet : octets) {
    held = (held << 8 | octet) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) out += kAlphabet[held >> (bits - 5) & 31];
  }
  return out;
}

/// All texts at a name; those that are no TXT records are left out. @errors dns: passing when there are none (yet).
Result<std::vector<std::string>> texts_at(const std::string& name, const Question& question, Deadline deadline,
                                          Evidence& evidence) {
  auto lookup = dns::Lookup::open(question.rules.resolver);
  if (!lookup.ok()) return as_dns_error(lookup.error());
  const auto answer = lookup->ask({name, dns::Type::Txt}, deadline);
  if (!answer.ok()) {
    evidence.note(answer.error().message());
    return as_dns_error(answer.error());
  }
  evidence.note(name + " TXT: " + std::to_string(answer->records.size()) + (answer->is_signed ? " signed" : "") + " records");
  std::vector<std::string> texts;
  for (const auto& record : answer->records) {
    if (auto text = dns::read_txt(record); text.ok()) texts.push_back(std::move(*text));
  }
  if (!texts.empty()) return texts;
  return passing_error("dns", name + ": " + (answer->no_such_name ? "no such name" : "no TXT records"));
}

/// "3 TXT records": what was found, without a word of it.
std::string counted(const std::vector<std::string>& texts) {
  return std::to_string(texts.size()) + (texts.size() == 1 ? " TXT record" : " TXT records");
}

/// A digest at a name. One that is not there may be on its way: the last client's record can be in its place.
Status find_digest(const std::string& name, const Question& question, Deadline deadline, Evidence& evidence) {
  PKI_TRY(const auto texts, texts_at(name, question, deadline, evidence));
  const auto expected = dns01_digest(question);
  if (std::ranges::find(texts, expected) != texts.end()) return {};
  const bool undigested = std::ranges::find(texts, question.key_authorization()) != texts.end();
  return passing_error("incorrectResponse", name + " has " + counted(texts) + ", expected " + expected +
                                                (undigested ? " and found the key authorization itself, not its digest" : ""));
}

/// Whether seconds since 1970, in decimal digits alone, are not past.
bool lasts(std::string_view text, Seconds now) {
  std::uint64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return failure == std::errc() && end == text.data() + text.size() && static_cast<std::uint64_t>(base::to_epoch(now)) <= seconds;
}

bool proves(const std::string& text, const Question& question, Seconds now) {
  const auto value = dns::read_issue_value(text);
  if (!value.ok()) return false;
  const auto& issuers = question.rules.caa_issuers;
  if (std::ranges::find(issuers, value->issuer) == issuers.end()) return false;
  if (value->count("accounturi") != 1 || value->find("accounturi") != question.account_url) return false;
  if (value->count("policy") > 1 || value->count("persistuntil") > 1) return false;
  if (question.wildcard && base::to_lower_ascii(value->find("policy")) != "wildcard") return false;
  return value->count("persistuntil") == 0 || lasts(value->find("persistuntil"), now);
}

}  // namespace

std::string dns01_digest(const Question& question) {
  return base::to_base64url(crypto::sha256(base::as_bytes(question.key_authorization())));
}

std::string account_label(const std::string& account_url) {
  const auto digest = crypto::sha256(base::as_bytes(account_url));
  return "_" + to_base32(ByteView(digest).first(kAccountOctets)) + "." + std::string(kLabel);
}

bool is_persistent_proof(std::span<const std::string> texts, const Question& question, Seconds now) {
  return std::ranges::any_of(texts, [&](const std::string& text) { return proves(text, question, now); });
}

Status prove_dns01(const Question& question, Deadline deadline, Evidence& evidence) {
  return find_digest(std::string(kLabel) + "." + question.name, question, deadline, evidence);
}

Status prove_dns_account01(const Question& question, Deadline deadline, Evidence& evidence) {
  return find_digest(account_label(question.account_url) + "." + question.name, question, deadline, evidence);
}

Status prove_dns_persist01(const Question& question, Deadline deadline, Evidence& evidence) {
  const auto name = std::string(kPersistLabel) + "." + question.name;
  const auto& issuers = question.rules.caa_issuers;
  if (issuers.empty()) return acme_error("serverInternal", "the realm has no names that a record could call it by");
  PKI_TRY(const auto texts, texts_at(name, question, deadline, evidence));
  const auto now = base::SystemClock().now();
  if (is_persistent_proof(texts, question, now)) return {};
  return acme_error("incorrectResponse", name + " has " + counted(texts) + ", expected one like \"" + issuers.front() +
                                             "; accounturi=" + question.account_url +
                                             (question.wildcard ? "; policy=wildcard\"" : "\"") +
                                             ", with a persistUntil that is not past or none");
}

}  // namespace chancery::acme
