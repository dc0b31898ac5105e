#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/file.h"
#include "server/base/key_spec.h"
#include "server/base/names.h"
#include "server/wire/json.h"

namespace chancery::signer {

enum class CaFrom { SelfSigned, Request, Import };

/// How a realm is made: a directory that may hold ca.config.yml and profiles already, but no CA.
struct Creation {
  std::string realm;
  base::Path directory;
  std::optional<base::KeySpec> key;  ///< none: the configuration's, ec:P-256 without one
  std::string subject;               ///< slash DN; empty: the configuration's, else /O=<company>/CN=<realm> CA
  std::optional<int> days;
  std::optional<int> path_length;
  std::string passphrase_file;
  std::string credential;
  bool unencrypted = false;
  CaFrom from = CaFrom::SelfSigned;
  std::string import_key;
  std::string import_certificate;
  std::string import_passphrase_file;
};

/// Makes the directory tree, configuration, key, certificate or request, and journal. A crash in the middle leaves no ca.key or a
/// whole one: the key is written last but the certificate, and a second run refuses only when there is a CA.
/// @return {realm, directory, certificate|request, key, fingerprint}.
/// @errors Exists: there is a CA; InvalidParams; BadConfig; Io.
Result<Json> create_realm(const Creation& creation);

/// What keeps this realm's signer from starting, one line each; empty: nothing.
std::vector<std::string> check_realm(const RealmName& realm, const base::Path& directory);

}  // namespace chancery::signer
