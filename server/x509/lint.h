#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/x509/certificate.h"
#include "server/x509/crl.h"

/// The last look at what is about to be signed. It reads the octets anew, and shares no code with what built them.
namespace chancery::x509 {

/// What a certificate must be, from the profile and the CA.
struct LintContext {
  std::optional<Certificate> issuer;    ///< none: self-signed
  std::chrono::seconds max_validity{};  ///< inclusive (PROMISES C11)
  std::vector<std::string> key_usage;
  std::vector<std::string> extended_key_usage;
  bool is_ca = false;
  std::optional<int> path_length;
};

/// One row of a table of rules, as documents and tests see it.
struct RuleRow {
  std::string_view id;
  std::string_view source;
};
std::span<const RuleRow> certificate_rules();
std::span<const RuleRow> crl_rules();

/// Octets that passed. Only the lint makes them, and only they reach a CA key.
class LintedTbs {
 public:
  LintedTbs(LintedTbs&&) = default;
  LintedTbs& operator=(LintedTbs&&) = default;
  LintedTbs(const LintedTbs&) = delete;
  LintedTbs& operator=(const LintedTbs&) = delete;
  const Bytes& bytes() const { return bytes_; }
  crypto::SignatureAlgorithm algorithm() const { return algorithm_; }

 private:
  LintedTbs(Bytes bytes, crypto::SignatureAlgorithm algorithm) : bytes_(std::move(bytes)), algorithm_(algorithm) {}
  friend Result<LintedTbs> lint_certificate(Bytes tbs, crypto::SignatureAlgorithm algorithm, const LintContext& context);
  Bytes bytes_;
  crypto::SignatureAlgorithm algorithm_;
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

 private:
  LintedCrl(Bytes bytes, crypto::SignatureAlgorithm algorithm) : bytes_(std::move(bytes)), algorithm_(algorithm) {}
  friend Result<LintedCrl> lint_crl(Bytes tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer);
  Bytes bytes_;
  crypto::SignatureAlgorithm algorithm_;
};

/// @errors LintFailed.
Result<LintedCrl> lint_crl(Bytes tbs, crypto::SignatureAlgorithm algorithm, const Certificate& issuer);

}  // namespace chancery::x509
