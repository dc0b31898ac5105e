#pragma once

#include <chrono>

namespace chancery::config {

/// `retention:` of ca.config.yml: when what has ended leaves the store. The journal keeps all of it.
struct RetentionConfig {
  std::chrono::seconds certificates{0};  ///< after their end; 0: for ever
  bool below_two_years = false;          ///< shorter times than auditors of public CAs want (PROMISES B14)

  bool operator==(const RetentionConfig&) const = default;
};

}  // namespace chancery::config
