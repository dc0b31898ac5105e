#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/key_spec.h"
#include "server/base/names.h"
#include "server/signer/owners.h"
#include "server/wire/json.h"

namespace chancery::signer {

enum class CaFrom { SelfSigned, Request, Import };

/// How a realm is made: a directory that may hold ca.config.yml and profiles already, but no CA.
struct Creation {
  std::string realm;
  base::Path directory;
  std::optional<base::KeySpec> key;  ///< none: the configuration's, ec:P-256 without one
  std::string subject;               ///< slash DN; empty: the configuration's, else /O=<company>/CN=<realm> CA
  std::string company;               ///< for the configuration; empty: its default
  std::string domain;
  std::optional<int> days;
  std::optional<int> path_length;
  std::string passphrase_file;  ///< none of the three: a new passphrase in <directory>/passphrase
  std::string credential;
  bool unencrypted = false;
  int shares = 0;  ///< of a new passphrase, which people enter; 0: none
  int threshold = 0;
  std::string shares_directory;
  bool prompt = false;  ///< one person enters the passphrase: that of passphrase_file, or one that is asked for
  std::string module;   ///< PKCS #11; empty: the key is in a file
  std::string token;
  std::string token_path;
  std::string key_label;  ///< empty: the realm's name
  std::string pin_file;
  bool existing_key = false;  ///< one that is in the token already
  CaFrom from = CaFrom::SelfSigned;
  std::string secret_file;  ///< the key follows from it; empty: a random one
  int generation = 1;       ///< with secret_file: which of the realm's CAs
  std::string import_key;
  std::string import_certificate;
  std::string import_passphrase_file;
  Owners owners;
};

/// Makes the directory tree, configuration, key, journal, and certificate or request, in this order, each file whole or not at
/// all. A second run after a crash goes on where the first one ended: a key that is there is kept, never overwritten.
/// @return {realm, directory, configuration, key, key_file, subject, certificate|request, not_after, fingerprint}.
/// @errors Exists: there is a CA; Busy: somebody is making it just now; InvalidParams, BadConfig, AuthFailed, NotFound, Io.
Result<Json> create_realm(const Creation& creation, Seconds now);

/// The line of ca.config.yml that says how the key is protected. Makes the new passphrase's file where the options name none.
/// @errors Io.
Result<std::string> protection_line(const Creation& creation);

}  // namespace chancery::signer
