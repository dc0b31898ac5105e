#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/result.h"

/// The options of `chancery-signer create`, which `chancery realm create` passes on: both programs' help, the manual pages and
/// the refusals come from these rows.
namespace chancery::signer {

struct CreateOption {
  std::string_view name;   ///< without its dashes
  std::string_view value;  ///< what stands for its value in help, "FILE"; empty: a flag
  std::string_view doc;
  std::int64_t least = 0;
  std::int64_t most = 0;  ///< of a number; 0: the value is a text
};

inline constexpr std::array kCreateOptions{
    CreateOption{"key", "KIND", "the CA's key: ec:P-256 (the default), ec:P-384, ec:P-521, ed25519 or rsa:BITS"},
    CreateOption{
        "subject", "DN",
        "the CA's subject, like /O=Company/CN=Department CA; default is the configuration's, else /O=<company>/CN=<realm> CA"},
    CreateOption{"days", "DAYS", "validity of a self-signed CA; default is the configuration's ca_validity", 1, 36500},
    CreateOption{"path-length", "NUMBER", "how many CAs may follow below it; without it, any number", 0, 100},
    CreateOption{
        "passphrase-file", "FILE",
        "the file, mode 0600, whose first line encrypts the key; with none of this and the next two, a new passphrase is made "
        "in the file passphrase of the realm's directory"},
    CreateOption{"credential", "NAME", "a systemd credential (LoadCredential=) instead of a file"},
    CreateOption{"unencrypted", "", "keep the key without a passphrase"},
    CreateOption{"self-signed", "", "the CA is its own root, which is the default"},
    CreateOption{"request-only", "", "write ca.csr for an outside CA; chancery ca import brings what that makes of it"},
    CreateOption{
        "from-secret", "FILE",
        "the key follows from the octets of this file, mode 0600, at least 32 made at random, so that it can be made again "
        "anywhere (doc/ca-from-secret.md); with --import-certificate the certificate is the old one; never the registration "
        "seed"},
    CreateOption{"generation", "NUMBER", "with --from-secret: which of the realm's keys, counted from 1, the default", 1,
                 1000000},
    CreateOption{"import-key", "FILE", "take over an existing CA: its key, mode 0600"},
    CreateOption{"import-certificate", "FILE", "with --import-key or --from-secret: its certificate, followed by those above it"},
    CreateOption{"import-passphrase-file", "FILE", "with --import-key: the file, mode 0600, whose first line opens the key"},
    CreateOption{"signer-user", "USER",
                 "whose the realm's files are, where <users> of chancery.xml names a signer; only root may say so"},
    CreateOption{"worker-user", "USER",
                 "whose the realm's database and nodes are, where <users> of chancery.xml names a worker; only root may say so"},
};

/// The options of `chancery-signer import-upki`, which `chancery import upki` passes on.
inline constexpr std::array kImportOptions{
    CreateOption{"ca-directory", "DIR",
                 "where uPKI's live ca.key and ca.crt are; default is the data directory, then .upki/ca of the home directory"},
    CreateOption{"ca-passphrase-file", "FILE",
                 "the file, mode 0600, whose first line opens ca.key; uPKI itself never encrypts it"},
    CreateOption{
        "passphrase-file", "FILE",
        "the file, mode 0600, whose first line encrypts the realm's key; with none of this and the next two, a new passphrase is "
        "made in the file passphrase of the realm's directory"},
    CreateOption{"credential", "NAME", "a systemd credential (LoadCredential=) instead of a file"},
    CreateOption{"unencrypted", "", "keep the key without a passphrase"},
    CreateOption{"signer-user", "USER",
                 "whose the realm's files are, where <users> of chancery.xml names a signer; only root may say so"},
    CreateOption{"worker-user", "USER",
                 "whose the realm's database and nodes are, where <users> of chancery.xml names a worker; only root may say so"},
};

/// Null for a name outside the table.
constexpr const CreateOption* find_import_option(std::string_view name) {
  const auto* const found = std::ranges::find(kImportOptions, name, &CreateOption::name);
  return found == kImportOptions.end() ? nullptr : found;
}

/// Null for a name outside the table.
constexpr const CreateOption* find_create_option(std::string_view name) {
  const auto* const found = std::ranges::find(kCreateOptions, name, &CreateOption::name);
  return found == kCreateOptions.end() ? nullptr : found;
}

/// An error in the value of an option of the table: it names the option, and without advice of its own says what the option is.
inline Error of_option(const Error& error, std::string_view name) {
  const auto said = error.within("--" + std::string(name));
  return {said.code(), said.message(), said.hint().empty() ? std::string(find_create_option(name)->doc) : said.hint()};
}

}  // namespace chancery::signer
