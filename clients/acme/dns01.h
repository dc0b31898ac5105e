#pragma once

#include <span>
#include <string>

#include "clients/acme/challenge.h"
#include "server/base/clock.h"

/// What the DNS challenges look for, without asking anybody.
namespace chancery::acme {

/// base64url(SHA-256(key authorization)): what dns-01 and dns-account-01 expect in a TXT record (RFC 8555 8.4).
std::string dns01_digest(const Question& question);

/// "_ujmmovf2vn55tgye._acme-challenge": the first ten octets of the URL's SHA-256 in lower-case base32, the draft's section 3.2.
std::string account_label(const std::string& account_url);

/// Whether one of the texts is an issue-value (RFC 8659 4.2) that names one of the CA's names as its issuer, the account by
/// accounturi, for a wildcard policy=wildcard, and, if it names an end by persistUntil (seconds since 1970), one not yet past.
/// A text that has one of these twice, or is no issue-value, counts for nothing.
bool is_persistent_proof(std::span<const std::string> texts, const Question& question, Seconds now);

}  // namespace chancery::acme
