#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::signer {

/// The verbs of chancery-signer that make a realm. `chancery realm create` and `chancery import upki` pass their options on: both
/// programs' help, the manual pages and the refusals come from these rows.
enum class Makes : std::uint8_t { Realm, Import, Both };  ///< `create`, `import-upki`

struct CreateOption {
  Makes verb;
  std::string_view name;   ///< without its dashes
  std::string_view value;  ///< what stands for its value in help, "FILE"; empty: a flag
  std::string_view doc;
  std::int64_t least = 0;
  std::int64_t most = 0;  ///< of a number; 0: the value is a text

  constexpr bool is_of(Makes wanted) const { return verb == wanted || verb == Makes::Both; }
};

inline constexpr std::array kCreateOptions{
    CreateOption{Makes::Import, "ca-directory", "DIR",
                 "where uPKI's live ca.key and ca.crt are; default is the data directory, then .upki/ca of the home directory"},
    CreateOption{Makes::Import, "ca-passphrase-file", "FILE",
                 "the file, mode 0600, whose first line opens ca.key; uPKI itself never encrypts it"},
    CreateOption{Makes::Realm, "key", "KIND", "the CA's key: ec:P-256 (the default), ec:P-384, ec:P-521, ed25519 or rsa:BITS"},
    CreateOption{
        Makes::Realm, "subject", "DN",
        "the CA's subject, like /O=Company/CN=Department CA; default is the configuration's, else /O=<company>/CN=<realm> CA"},
    CreateOption{Makes::Realm, "company", "TEXT",
                 "the organisation: `company` of the configuration, from which the default subject is made"},
    CreateOption{Makes::Realm, "domain", "NAME", "`domain` of the configuration, like example.com"},
    CreateOption{Makes::Realm, "days", "DAYS", "validity of a self-signed CA; default is the configuration's ca_validity", 1,
                 36500},
    CreateOption{Makes::Realm, "path-length", "NUMBER", "how many CAs may follow below it; without it, any number", 0, 100},
    CreateOption{Makes::Both, "passphrase-file", "FILE",
                 "the file, mode 0600, whose first line encrypts the CA's key; with none of this and the next two, a new "
                 "passphrase is made in the file passphrase of the realm's directory"},
    CreateOption{Makes::Both, "credential", "NAME", "a systemd credential (LoadCredential=) instead of a file"},
    CreateOption{Makes::Both, "unencrypted", "", "keep the key without a passphrase"},
    CreateOption{Makes::Realm, "shares", "NUMBER",
                 "a new passphrase in so many shares, which operators enter once the signer runs (doc/keys.md); with --threshold "
                 "and --shares-directory",
                 2, 255},
    CreateOption{Makes::Realm, "threshold", "NUMBER", "with --shares: how many of them open the key", 2, 255},
    CreateOption{Makes::Realm, "shares-directory", "DIR", "with --shares: where their files go, one for each person, mode 0600"},
    CreateOption{
        Makes::Realm, "prompt", "",
        "an operator enters the passphrase once the signer runs (chancery realm unlock); it is that of --passphrase-file, "
        "which is not needed any more, or asked for now"},
    CreateOption{Makes::Realm, "pkcs11-module", "FILE",
                 "make the key in a PKCS #11 token instead of a file: the vendor's library; with --token and --pin-file"},
    CreateOption{Makes::Realm, "token", "LABEL", "with --pkcs11-module: which token"},
    CreateOption{Makes::Realm, "token-path", "DIR",
                 "with --pkcs11-module: what the library reads and writes, like SoftHSM's directory of tokens"},
    CreateOption{Makes::Realm, "key-label", "LABEL", "with --pkcs11-module: the key's label, default the realm's name"},
    CreateOption{Makes::Realm, "pin-file", "FILE", "the file, mode 0600, whose first line is the token's PIN"},
    CreateOption{Makes::Realm, "existing-key", "", "take the key of that label that is in the token already"},
    CreateOption{Makes::Realm, "self-signed", "", "the CA is its own root, which is the default"},
    CreateOption{Makes::Realm, "request-only", "",
                 "write ca.csr for an outside CA; chancery ca import brings what that makes of it"},
    CreateOption{
        Makes::Realm, "from-secret", "FILE",
        "the key follows from the octets of this file, mode 0600, at least 32 made at random, so that it can be made again "
        "anywhere (doc/ca-from-secret.md); with --import-certificate the certificate is the old one; never the registration "
        "seed"},
    CreateOption{Makes::Realm, "generation", "NUMBER",
                 "with --from-secret: which of the realm's keys, counted from 1, the default", 1, 1000000},
    CreateOption{Makes::Realm, "import-key", "FILE", "take over an existing CA: its key, mode 0600"},
    CreateOption{Makes::Realm, "import-certificate", "FILE",
                 "with --import-key or --from-secret: its certificate, followed by those above it"},
    CreateOption{Makes::Realm, "import-passphrase-file", "FILE",
                 "with --import-key: the file, mode 0600, whose first line opens the key"},
    CreateOption{Makes::Both, "signer-user", "USER",
                 "whose the realm's files are, where <users> of chancery.xml names a signer; only root may say so"},
    CreateOption{Makes::Both, "worker-user", "USER",
                 "whose the realm's database and nodes are, where <users> of chancery.xml names a worker; only root may say so"},
};

/// Null for a name that the verb does not take. @param verb  one of them, not Both
constexpr const CreateOption* find_create_option(Makes verb, std::string_view name) {
  const auto* const found =
      std::ranges::find_if(kCreateOptions, [&](const auto& row) { return row.name == name && row.is_of(verb); });
  return found == kCreateOptions.end() ? nullptr : found;
}

/// An error in the value of an option of the table, whichever verb took it: it names the option, and without advice of its own
/// says what the option is.
inline Error of_option(const Error& error, std::string_view name) {
  const auto said = error.within("--" + std::string(name));
  return {said.code(), said.message(),
          said.hint().empty() ? std::string(std::ranges::find(kCreateOptions, name, &CreateOption::name)->doc) : said.hint()};
}

}  // namespace chancery::signer
