#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clients/acme/targets.h"
#include "clients/dns/lookup.h"
#include "server/base/result.h"

/// How names are proved: one challenge from its question to the verdict. Which methods a realm offers for which names is the
/// daemon's word (acme.challenge.begin); how each is carried out is here.
namespace chancery::acme {

using dns::Deadline;

inline constexpr std::chrono::seconds kValidationLimit{10};  ///< of all tries, names, addresses and hops together

/// What the realm says about proving names (acme.realm.get).
struct Rules {
  int http01_port = 80;
  int tlsalpn01_port = 443;
  dns::Resolver resolver{};
  Grounds grounds{};
  std::vector<std::string> caa_issuers{};  ///< the names that stand for this CA; none: CAA is not looked at
};

/// What is to be proved, by whom.
struct Question {
  std::string method{};  ///< "http-01"
  std::string name{};    ///< DNS name without "*.", or an address
  bool is_address = false;
  bool wildcard = false;
  std::string token{};
  std::string thumbprint{};   ///< of the account's key
  std::string account_url{};  ///< as the client sees it
  Rules rules{};

  /// RFC 8555 8.1.
  std::string key_authorization() const { return token + "." + thumbprint; }
};

/// Everything that was tried and what came back, for the audit. Foreign text in it is escaped.
class Evidence {
 public:
  void note(const std::string& line);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// What came of it.
struct Verdict {
  std::optional<Error> error{};  ///< with its ACME type; none: the proof was found, and CAA allows to issue
  std::string evidence{};
  bool caa_checked = false;  ///< the realm looks at CAA, and CAA was found to allow it
};

/// One try of one method. @errors with an ACME type; passing ones (problems.h) may be tried again.
using Prove = Status (*)(const Question& question, Deadline deadline, Evidence& evidence);

/// A row of the table of methods.
struct Method {
  std::string_view name;
  Prove prove;
};
std::span<const Method> methods();
/// Null: no such method.
const Method* find_method(std::string_view name);

/// Proves a name and asks CAA, each for kValidationLimit at most; what may pass by itself is tried again a few times. Blocks.
/// @pre find_method(question.method)
Verdict validate(const Question& question);
/// Asks CAA alone, in the same way. @pre the realm has caa_issuers
Verdict recheck_caa(const Question& question);

// The rows' functions, each in a file of its own.

/// http-01 (RFC 8555 8.3): fetches the key authorization.
Status prove_http01(const Question& question, Deadline deadline, Evidence& evidence);
/// tls-alpn-01 (RFC 8737 3, for addresses RFC 8738 6): shakes hands and looks at the certificate.
Status prove_tlsalpn01(const Question& question, Deadline deadline, Evidence& evidence);
/// dns-01 (RFC 8555 8.4): one of the TXT records is the digest of the key authorization.
Status prove_dns01(const Question& question, Deadline deadline, Evidence& evidence);
/// dns-account-01 (draft-ietf-acme-dns-account-label-01): the same below a label made of the account's URL.
Status prove_dns_account01(const Question& question, Deadline deadline, Evidence& evidence);
/// dns-persist-01 (draft-ietf-acme-dns-persist-01): a TXT record that stays, and names this CA and the account.
Status prove_dns_persist01(const Question& question, Deadline deadline, Evidence& evidence);

/// Looks for CAA records and judges them (RFC 8659, RFC 8657). Addresses and localhost have none.
/// @errors caa: they do not allow it; dns: they could not be had.
Status check_caa(const Question& question, Deadline deadline, Evidence& evidence);

/// An error of a lookup as an ACME error of type dns; passing where the next try may have another answer.
Error as_dns_error(const Error& error);

}  // namespace chancery::acme
