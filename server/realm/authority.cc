#include "server/realm/authority.h"

namespace chancery::realm {
namespace {

constexpr std::size_t kMaxChain = 10;

Status check_order(const std::vector<x509::Certificate>& chain) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    if (auto signed_by = chain[i].verify_signed_by(chain[i + 1]); !signed_by.ok()) {
      return Error(
          Code::BadConfig,
          "certificate " + std::to_string(i + 1) + " of the chain is not signed by the next one: " + signed_by.error().message(),
          "order: the CA's certificate first, then its issuer, up to the root");
    }
  }
  return {};
}

}  // namespace

Result<Authority> parse_authority(std::string_view chain_pem, const config::RealmConfig& realm) {
  PKI_TRY(auto chain, x509::certificates_from_pem(chain_pem, kMaxChain));
  if (chain.empty()) return Error(Code::Malformed, "no certificate in the CA's file");
  if (!chain.front().is_ca())
    return Error(
        Code::BadConfig, chain.front().subject().to_slash() + " is no CA certificate",
        "the CA's own certificate comes first, and its issuer makes it for a CA: basicConstraints with cA (RFC 5280 4.2.1.9)");
  PKI_TRY_VOID(check_order(chain));
  PKI_TRY(const auto algorithm, crypto::algorithm_for(chain.front().public_key().spec(), realm.digest));
  auto certificate = chain.front();
  chain.erase(chain.begin());
  return Authority{std::move(certificate), std::move(chain), algorithm};
}

std::vector<std::string> chain_pems(const Authority& authority) {
  std::vector<std::string> out{authority.certificate.pem()};
  for (const auto& one : authority.above) out.push_back(one.pem());
  return out;
}

}  // namespace chancery::realm
