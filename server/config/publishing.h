#pragma once

#include <chrono>
#include <string>

namespace chancery::config {

/// `publishing:` of ca.config.yml: where CRLs go besides HTTP.
struct PublishingConfig {
  std::string directory;             ///< empty: nowhere
  std::string program;               ///< absolute path, run for each new CRL; empty: none
  std::chrono::seconds timeout{30};  ///< of the program

  bool operator==(const PublishingConfig&) const = default;
};

}  // namespace chancery::config
