#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/x509/certificate.h"
#include "server/x509/crl.h"

/// The last look at what is about to be signed (PROMISES C3, B7). It reads the octets anew, by our reader and by OpenSSL's, and
/// shares no code with what built them.
namespace chancery::x509 {

/// What a certificate must be, from the profile and the CA.
struct LintContext {
  std::optional<Certificate> issuer;    ///< none: self-signed
  std::vector<Certificate> above;       ///< the issuer's issuer first; name constraints of all of them count
  std::chrono::seconds max_validity{};  ///< inclusive (PROMISES C11)
  std::vector<std::string> key_usage;   ///< the profile's; those that the kind of key cannot have may be missing
  std::vector<std::string> extended_key_usage;
  bool is_ca = false;
  std::optional<int> path_length;
  bool ocsp_no_check = false;
  Bytes subject_key_id{};  ///< of a CA that is certified again and keeps the one it has; empty: that of RFC 7093 2
};

/// An Error keeps the key from signing; a Warning says what a public CA could not do.
enum class Severity { Error, Warning };

/// One row of a table of rules, as documents and tests see it.
struct RuleRow {
  std::string_view id;
  std::string_view source;  ///< section of the standard, or number of the promise
  Severity severity = Severity::Error;
};
const std::vector<RuleRow>& certificate_rules();
const std::vector<RuleRow>& crl_rules();

/// A rule that does not hold.
struct Finding {
  RuleRow rule;
  std::string message;
};
/// "serial_octets: serial has more than 20 octets (RFC 5280 4.1.2.2)"
std::string to_text(const Finding& finding);

/// Octets that passed. Only the lint makes them, and only they reach a CA key.
class LintedTbs {
 public:
  LintedTbs(LintedTbs&&) = default;
  LintedTbs& operator=(LintedTbs&&) = default;
  LintedTbs(const LintedTbs&) = delete;
  LintedTbs& operator=(const LintedTbs&) = delete;
  const Bytes& bytes() const { return bytes_; }
  crypto::SignatureAlgorithm algorithm() const { return algorithm_; }
  const std::vector<Finding>& warnings() const { return warnings_; }

 private:
  LintedTbs(Bytes bytes, crypto::SignatureAlgorithm algorithm, std::vector<Finding> warnings)
      : bytes_(std::move(bytes)), algorithm_(algorithm), warnings_(std::move(warnings)) {}
  friend Result<LintedTbs> lint_certificate(Bytes tbs, crypto::SignatureAlgorithm algorithm, const LintContext& context);
  Bytes bytes_;
  crypto::SignatureAlgorithm algorithm_;
  std::vector<Finding> warnings_;
};

/// @errors LintFailed: names every rule that is broken.
Result<LintedTbs> lint_certificate(Bytes tbs, crypto::SignatureAlgorithm algorithm, const LintContext& context);

class LintedCrl {
 public:
  LintedCrl(LintedCrl&&) = default;
  LintedCrl& operator=(LintedCrl&&) = default;
  LintedCrl(const LintedCrl&) = delete;
  LintedCrl& operator=(const LintedCrl&) = delete;
  const Bytes& bytes() const { return bytes_; }
  crypto::SignatureAlgorithm algorithm() const { return algorithm_; }
  const std::vector<Finding>& warnings() const { return warnings_; }

 private:
  LintedCrl(Bytes bytes, crypto::SignatureAlgorithm algorithm, std::vector<Finding> warnings)
      : bytes_(std::move(bytes)), algorithm_(algorithm), warnings_(std::move(warnings)) {}
  friend Result<LintedCrl> lint_crl(Bytes tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer);
  Bytes bytes_;
  crypto::SignatureAlgorithm algorithm_;
  std::vector<Finding> warnings_;
};

/// @errors LintFailed: names every rule that is broken.
Result<LintedCrl> lint_crl(Bytes tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer);

}  // namespace chancery::x509
