#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::signer {

/// The verbs of chancery-signer that make a realm: `create`, and `import-KIND` for each kind of source. `chancery realm create`
/// and `chancery import` pass their options on: both programs' help, the manual pages and the refusals come from these rows.
enum class Makes : std::uint8_t {
  Realm = 1,
  Upki = 2,
  OpensslCa = 4,
  EasyRsa = 8,
  StepCa = 16,
  OpenxpkiExport = 32,
  PemDir = 64,
  Ceremony = 128
};
using Verbs = unsigned;  ///< a sum of them

constexpr Verbs operator|(Makes one, Makes other) { return static_cast<Verbs>(one) | static_cast<Verbs>(other); }
constexpr Verbs operator|(Verbs some, Makes other) { return some | static_cast<Verbs>(other); }
inline constexpr auto kRealm = static_cast<Verbs>(Makes::Realm);
inline constexpr auto kOthers = Makes::OpensslCa | Makes::EasyRsa | Makes::StepCa | Makes::OpenxpkiExport | Makes::PemDir;
inline constexpr auto kImports = kOthers | Makes::Upki;
inline constexpr auto kAll = kImports | Makes::Realm;
/// Of a ceremony the realm is made already: nothing is said of its key any more.
inline constexpr auto kWithCeremony = kAll | Makes::Ceremony;

/// One kind of source of `chancery import`.
struct ImportKind {
  Makes verb;
  std::string_view name;  ///< the word of the command line
  std::string_view doc;
  std::string_view directory;  ///< what its argument is
};
inline constexpr std::array kImportKinds{
    ImportKind{Makes::Ceremony, "ceremony", "Take over a realm that an offline ceremony made.",
               "the ceremony's directory, with transcript.txt"},
    ImportKind{Makes::EasyRsa, "easy-rsa", "Take over the CA of an easy-rsa 3 directory as a realm of this machine.",
               "the directory pki, or the one above it"},
    ImportKind{Makes::OpensslCa, "openssl-ca", "Take over a CA that `openssl ca` keeps as a realm of this machine.",
               "the CA's directory, with index.txt"},
    ImportKind{Makes::OpenxpkiExport, "openxpki-export", "Take over a CA of OpenXPKI from an export as a realm of this machine.",
               "a directory with ca.key, ca.crt and certificates.json (doc/moving.md)"},
    ImportKind{Makes::PemDir, "pem-dir", "Take over the CA whose key, certificates and CRLs lie in a directory.",
               "a directory of PEM and DER files, however deep"},
    ImportKind{Makes::StepCa, "step-ca", "Take over the CA of a step-ca directory as a realm of this machine.",
               "what `step path` prints, or STEPPATH names"},
    ImportKind{Makes::Upki, "upki", "Take over the CA of a uPKI data directory as a realm of this machine.",
               "uPKI's data directory, which UPKI_DATA_DIR or --path named"},
};
static_assert(std::ranges::is_sorted(kImportKinds, {}, &ImportKind::name));

struct CreateOption {
  Verbs verbs;
  std::string_view name;   ///< without its dashes
  std::string_view value;  ///< what stands for its value in help, "FILE"; empty: a flag
  std::string_view doc;
  std::int64_t least = 0;
  std::int64_t most = 0;  ///< of a number; 0: the value is a text

  constexpr bool is_of(Makes wanted) const { return (verbs & static_cast<Verbs>(wanted)) != 0; }
};

inline constexpr std::array kCreateOptions{
    CreateOption{static_cast<Verbs>(Makes::Upki), "ca-directory", "DIR",
                 "where uPKI's live ca.key and ca.crt are; default is the data directory, then .upki/ca of the home directory"},
    CreateOption{kImports, "ca-passphrase-file", "FILE",
                 "the file, mode 0600, whose first line opens the CA's key, where that is encrypted"},
    CreateOption{kOthers, "ca-certificate", "FILE", "the CA's certificate, where it is not at its usual place"},
    CreateOption{kOthers, "ca-key", "FILE", "the CA's key, mode 0600, where it is not at its usual place"},
    CreateOption{kOthers, "chain", "FILE", "the certificates above the CA's, its issuer first, where the CA's file has none"},
    CreateOption{static_cast<Verbs>(Makes::OpensslCa), "config", "FILE",
                 "the openssl.cnf whose default_ca section says where everything is"},
    CreateOption{Makes::StepCa | Makes::OpenxpkiExport, "certificates", "DIR",
                 "a directory of certificates and CRLs of that CA, PEM or DER, however deep"},
    CreateOption{kImports | Makes::Ceremony, "dry-run", "", "print the report and leave nothing behind"},
    CreateOption{kRealm, "key", "KIND", "the CA's key: ec:P-256 (the default), ec:P-384, ec:P-521, ed25519 or rsa:BITS"},
    CreateOption{
        kRealm, "subject", "DN",
        "the CA's subject, like /O=Company/CN=Department CA; default is the configuration's, else /O=<company>/CN=<realm> CA"},
    CreateOption{kRealm, "company", "TEXT",
                 "the organisation: `company` of the configuration, from which the default subject is made"},
    CreateOption{kRealm, "domain", "NAME", "`domain` of the configuration, like example.com"},
    CreateOption{kRealm, "days", "DAYS", "validity of a self-signed CA; default is the configuration's ca_validity", 1, 36500},
    CreateOption{kRealm, "path-length", "NUMBER", "how many CAs may follow below it; without it, any number", 0, 100},
    CreateOption{kAll, "passphrase-file", "FILE",
                 "the file, mode 0600, whose first line encrypts the CA's key; with none of this and the next two, a new "
                 "passphrase is made in the file passphrase of the realm's directory"},
    CreateOption{kAll, "credential", "NAME", "a systemd credential (LoadCredential=) instead of a file"},
    CreateOption{kAll, "unencrypted", "", "keep the key without a passphrase"},
    CreateOption{kRealm, "shares", "NUMBER",
                 "a new passphrase in so many shares, which operators enter once the signer runs (doc/keys.md); with --threshold "
                 "and --shares-directory",
                 2, 255},
    CreateOption{kRealm, "threshold", "NUMBER", "with --shares: how many of them open the key", 2, 255},
    CreateOption{kRealm, "shares-directory", "DIR", "with --shares: where their files go, one for each person, mode 0600"},
    CreateOption{
        kRealm, "prompt", "",
        "an operator enters the passphrase once the signer runs (chancery realm unlock); it is that of --passphrase-file, "
        "which is not needed any more, or asked for now"},
    CreateOption{kRealm, "pkcs11-module", "FILE",
                 "make the key in a PKCS #11 token instead of a file: the vendor's library; with --token and --pin-file"},
    CreateOption{kRealm, "token", "LABEL", "with --pkcs11-module: which token"},
    CreateOption{kRealm, "token-path", "DIR",
                 "with --pkcs11-module: what the library reads and writes, like SoftHSM's directory of tokens"},
    CreateOption{kRealm, "key-label", "LABEL", "with --pkcs11-module: the key's label, default the realm's name"},
    CreateOption{kRealm, "pin-file", "FILE", "the file, mode 0600, whose first line is the token's PIN"},
    CreateOption{kRealm, "existing-key", "", "take the key of that label that is in the token already"},
    CreateOption{kRealm, "self-signed", "", "the CA is its own root, which is the default"},
    CreateOption{kRealm, "request-only", "", "write ca.csr for an outside CA; chancery ca import brings what that makes of it"},
    CreateOption{
        kRealm, "from-secret", "FILE",
        "the key follows from the octets of this file, mode 0600, at least 32 made at random, so that it can be made again "
        "anywhere (doc/ca-from-secret.md); with --import-certificate the certificate is the old one; never the registration "
        "seed"},
    CreateOption{kRealm, "generation", "NUMBER", "with --from-secret: which of the realm's keys, counted from 1, the default", 1,
                 1000000},
    CreateOption{kRealm, "import-key", "FILE", "take over an existing CA: its key, mode 0600"},
    CreateOption{kRealm, "import-certificate", "FILE",
                 "with --import-key or --from-secret: its certificate, followed by those above it"},
    CreateOption{kRealm, "import-passphrase-file", "FILE",
                 "with --import-key: the file, mode 0600, whose first line opens the key"},
    CreateOption{static_cast<Verbs>(Makes::Ceremony), "transcript", "SHA256",
                 "the SHA-256 of transcript.txt, as `chancery ceremony` printed it and its people signed it"},
    CreateOption{kWithCeremony, "signer-user", "USER",
                 "whose the realm's files are, where <users> of chancery.xml names a signer; only root may say so"},
    CreateOption{kWithCeremony, "worker-user", "USER",
                 "whose the realm's database and nodes are, where <users> of chancery.xml names a worker; only root may say so"},
};

/// Null for a name that the verb does not take. @param verb  one of them
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
