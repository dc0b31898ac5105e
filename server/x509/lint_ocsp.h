#pragma once

#include "server/x509/ocsp.h"

/// The last look at what an OCSP responder is about to sign, as lint.h has it for certificates: by OpenSSL's reader, which shares
/// no code with what built it.
namespace chancery::x509 {

/// Octets that passed. Only the lint makes them, and only they reach a responder's key.
class LintedOcsp {
 public:
  LintedOcsp(LintedOcsp&&) = default;
  LintedOcsp& operator=(LintedOcsp&&) = default;
  LintedOcsp(const LintedOcsp&) = delete;
  LintedOcsp& operator=(const LintedOcsp&) = delete;
  const Bytes& bytes() const { return bytes_; }
  crypto::SignatureAlgorithm algorithm() const { return algorithm_; }

 private:
  LintedOcsp(Bytes bytes, crypto::SignatureAlgorithm algorithm) : bytes_(std::move(bytes)), algorithm_(algorithm) {}
  friend Result<LintedOcsp> lint_ocsp(Bytes tbs, crypto::SignatureAlgorithm algorithm, const OcspSpec& wanted);
  Bytes bytes_;
  crypto::SignatureAlgorithm algorithm_;
};

/// @errors LintFailed: names what is not as wanted.
Result<LintedOcsp> lint_ocsp(Bytes tbs, crypto::SignatureAlgorithm algorithm, const OcspSpec& wanted);

}  // namespace chancery::x509
