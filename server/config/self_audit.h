#pragma once

#include <string>

namespace chancery::config {

/// `self_audit:` of ca.config.yml: when a realm looks at everything that it keeps (PROMISES C20).
struct SelfAuditConfig {
  std::string at = "03:10";   ///< UTC, HH:MM; empty: never by itself
  int certificates = 100000;  ///< of one night; the next one goes on

  bool operator==(const SelfAuditConfig&) const = default;
};

}  // namespace chancery::config
