#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/names.h"
#include "server/config/keys.h"

/// One row of `cas:` of ca.config.yml: a CA of the realm beside its first one. Pure values, as realm_config.h.
namespace chancery::config {

/// The name of the realm's first CA, which has no row.
inline constexpr const char* kFirstCa = "ca";

/// Where the name of a generation goes, in labels of keys and in URLs.
inline constexpr std::string_view kGenerationPlace = "{ca}";

/// The text with that name in each such place.
inline std::string in_generation(std::string text, std::string_view name) {
  for (auto at = text.find(kGenerationPlace); at != std::string::npos; at = text.find(kGenerationPlace, at + name.size()))
    text.replace(at, kGenerationPlace.size(), name);
  return text;
}

struct CaConfig {
  /// issuing: certificates of its profiles; root: the realm's other CAs, nothing else; ocsp, ra: nothing, it is a service
  std::string purpose = "issuing";
  std::string issuer;       ///< the root of this realm that certifies it; empty: it is a root itself, a service's is "ca"
  std::string key;          ///< kind of its next generation's key; empty: the realm's
  std::string key_store{};  ///< of its next generation's key: file or pkcs11; empty: as the realm's
  TokenConfig pkcs11{};     ///< of a key in a token
  std::string subject;      ///< slash DN; empty: from company, realm and name
  std::vector<ProfileName> profiles;          ///< what it may issue; empty: every profile
  std::vector<std::string> crl_urls;          ///< instead of the realm's; empty: the realm's
  std::vector<std::string> crl_delta_urls{};  ///< likewise
  std::vector<std::string> ca_issuer_urls;    ///< likewise

  std::chrono::seconds validity{std::chrono::hours{24 * 30}};     ///< of a service's certificate
  std::chrono::seconds answers_valid_for{std::chrono::hours{4}};  ///< of an OCSP responder: nextUpdate of what it says

  bool is_root() const { return purpose == "root"; }
  bool is_responder() const { return purpose == "ocsp"; }
  /// No CA, but a key that a CA certifies for a service of the realm (doc/services.md).
  bool is_service() const { return is_responder() || purpose == "ra"; }
  bool operator==(const CaConfig&) const = default;
};

}  // namespace chancery::config
