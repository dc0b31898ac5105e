#pragma once

#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/config/realm_config.h"
#include "server/crypto/key.h"
#include "server/x509/certificate.h"

namespace chancery::realm {

/// The public part of one CA: its certificate, those above it, and how it signs.
struct Authority {
  x509::Certificate certificate;
  std::vector<x509::Certificate> above;  ///< its issuer first, up to the root; empty for a root
  crypto::SignatureAlgorithm algorithm;
  std::string name = config::kFirstCa;   ///< of the CA
  std::string label = config::kFirstCa;  ///< of this generation of it
};

/// Reads "ca.crt": the CA's certificate first, then those above it.
/// @errors Malformed; BadConfig: it is no CA certificate, or the chain is out of order.
Result<Authority> parse_authority(std::string_view chain_pem, const config::RealmConfig& realm);

/// The CA certificate and those above it, one PEM text each, issuer first.
std::vector<std::string> chain_pems(const Authority& authority);

}  // namespace chancery::realm
