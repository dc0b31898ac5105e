#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/config/node.h"
#include "server/config/realm_config.h"
#include "server/config/report.h"

/// What `key_store`, the passphrase settings, `secret:` and `pkcs11:` must be to each other and to the files that they name.
namespace chancery::config {

void check_keys(const RealmConfig& realm, const Node& root, Report& report);

/// The same of the keys of further CAs and generations (next_key_checks.cc).
void check_next_keys(const RealmConfig& realm, const Node& root, Report& report);
/// Whether some of them are in files: those that are made next, which have to be protected.
bool has_next_key_in_file(const RealmConfig& realm);
/// Whether one of them is in the token of the realm's `pkcs11:`.
bool has_next_key_in_realms_token(const RealmConfig& realm);

/// One way of opening a key.
struct KeyWay {
  std::string_view name;
  bool used;
};
/// Exactly one of the ways that fit where the key is, and none of the others.
void check_key_ways(std::span<const KeyWay> ways, const Node& place, const std::string& what, Report& report);

/// What a section has to say of its token.
struct TokenUse {
  bool of_first_key = false;  ///< which key, too
  bool by_people = false;     ///< `secret:` says that people give its PIN
};
void check_token(const RealmConfig& realm, const TokenConfig& token, TokenUse use, const Node& section, Report& report);

}  // namespace chancery::config
