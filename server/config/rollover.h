#pragma once

#include <chrono>
#include <string>

namespace chancery::config {

/// `rollover:` of ca.config.yml: how CAs of the realm are replaced.
struct RolloverConfig {
  std::chrono::seconds publish_for{std::chrono::hours{24 * 7}};  ///< between publishing a generation and its first certificate
  std::string retire = "upkeep";                                 ///< who ends a generation that has drained: upkeep or people

  bool by_upkeep() const { return retire == "upkeep"; }
  bool operator==(const RolloverConfig&) const = default;
};

}  // namespace chancery::config
