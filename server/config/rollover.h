#pragma once

#include <chrono>
#include <string>

#include "server/config/keys.h"

namespace chancery::config {

/// `rollover:` of ca.config.yml: how CAs of the realm are replaced.
struct RolloverConfig {
  std::chrono::seconds publish_for{std::chrono::hours{24 * 7}};  ///< between publishing a generation and its first certificate
  std::string retire = "upkeep";                                 ///< who ends a generation that has drained: upkeep or people
  std::string key_store{};                                       ///< of the first CA's next key: as CaConfig's
  TokenConfig pkcs11{};

  bool by_upkeep() const { return retire == "upkeep"; }
  bool operator==(const RolloverConfig&) const = default;
};

}  // namespace chancery::config
