#pragma once

#include <algorithm>
#include <array>
#include <string_view>

/// How an ACME client can prove a name: one table for the settings, the orders and the manual. What carries each out is the front
/// end's (clients/acme/challenge.cc).
namespace chancery::config {

/// What is to be proved. Wildcards of DNS names are a kind of their own: who controls a name's web server need not control what
/// is below it (RFC 8555 7.1.3).
enum class ProofOf { Name, Wildcard, Address };

struct ChallengeMethod {
  std::string_view name;      ///< type of the challenge (RFC 8555 9.7.8)
  std::string_view standard;  ///< where it is written down
  bool names = false;
  bool wildcards = false;
  bool addresses = false;
  bool has_token = true;      ///< else the account alone is proof, and the challenge names the CA's issuer names
  bool needs_issuer = false;  ///< acme.caa_identities must name this CA

  constexpr bool proves(ProofOf what) const {
    return what == ProofOf::Name ? names : what == ProofOf::Wildcard ? wildcards : addresses;
  }
};

inline constexpr std::array kChallengeMethods{
    ChallengeMethod{.name = "http-01", .standard = "RFC 8555 8.3", .names = true, .addresses = true},
    ChallengeMethod{.name = "dns-01", .standard = "RFC 8555 8.4", .names = true, .wildcards = true},
    ChallengeMethod{.name = "tls-alpn-01", .standard = "RFC 8737", .names = true, .addresses = true},
    ChallengeMethod{
        .name = "dns-account-01", .standard = "draft-ietf-acme-dns-account-label-01", .names = true, .wildcards = true},
    ChallengeMethod{.name = "dns-persist-01",
                    .standard = "draft-ietf-acme-dns-persist-01",
                    .names = true,
                    .wildcards = true,
                    .has_token = false,
                    .needs_issuer = true},
};

/// Null: no such method.
constexpr const ChallengeMethod* find_challenge_method(std::string_view name) {
  const auto* found = std::ranges::find(kChallengeMethods, name, &ChallengeMethod::name);
  return found == kChallengeMethods.end() ? nullptr : found;
}

/// The methods for each kind of name, as the words that settings take.
inline constexpr std::string_view kNameMethods = "http-01 dns-01 tls-alpn-01 dns-account-01 dns-persist-01";
inline constexpr std::string_view kWildcardMethods = "dns-01 dns-account-01 dns-persist-01";
inline constexpr std::string_view kAddressMethods = "http-01 tls-alpn-01";

/// Whether the words are the methods of the table that prove it, in its order.
constexpr bool lists_methods_for(ProofOf what, std::string_view words) {
  for (const auto& method : kChallengeMethods) {
    if (!method.proves(what)) continue;
    if (!words.starts_with(method.name)) return false;
    words.remove_prefix(method.name.size());
    if (words.starts_with(' ')) words.remove_prefix(1);
  }
  return words.empty();
}
static_assert(lists_methods_for(ProofOf::Name, kNameMethods));
static_assert(lists_methods_for(ProofOf::Wildcard, kWildcardMethods));
static_assert(lists_methods_for(ProofOf::Address, kAddressMethods));

}  // namespace chancery::config
