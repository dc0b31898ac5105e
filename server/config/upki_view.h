#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/config/realm_config.h"

namespace chancery::config {

/// One key of a profile as uPKI's `get_profile` shows it. Which member holds the value, `kind` says.
struct UpkiField {
  enum class Kind { Text, Integer, Boolean, Texts, Map };
  std::string name;
  Kind kind = Kind::Text;
  std::string text = {};
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<std::string> texts = {};
  std::vector<std::pair<std::string, std::string>> map = {};  ///< in order
};

/// A profile with uPKI's keys in uPKI's order (UPKI.md section 3): keyType, keyLen, duration, digest, altnames, pathLen, domain,
/// subject, keyUsage, extendedKeyUsage, certType.
std::vector<UpkiField> upki_view(const Profile& profile);

}  // namespace chancery::config
