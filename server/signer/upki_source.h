#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/names.h"
#include "server/config/node.h"
#include "server/x509/certificate.h"
#include "server/x509/foreign.h"

/// A uPKI CA's data directory, read (UPKI.md 4.1). The layout of its programs, the one of its documentation and the older one are
/// told apart by what is there, and what is there of each is taken. Nothing is written, no link is followed, and names of files
/// are only ever shown.
namespace chancery::signer {

/// A name out of the directory as findings show it.
std::string shown(std::string_view text);

/// When and why a certificate was revoked.
struct UpkiRevocation {
  Seconds at{};
  std::string reason;  ///< CRLReason name
};

/// All that the directory says of one serial: its certificate, its records, its revocation.
struct UpkiCertificate {
  std::optional<x509::ForeignCertificate> certificate;  ///< none: only records name it
  std::string dn;                                       ///< of the records, slash form where it can be read
  std::string cn;
  std::string profile;
  std::optional<UpkiRevocation> revocation;
  std::string found_in;  ///< the file that named it first, from the directory on
};

/// A file by its place in the directory, "certs/www.example.com.crt".
struct UpkiFile {
  std::string place;
  std::string content;
};
struct UpkiSecretFile {
  std::string place;
  SecretBytes content;
};

struct UpkiSource {
  base::Path directory;
  std::string generation{};  ///< "documented", "newer" or "older": whose layout the CA's key is in
  base::Path key_file{};
  base::Path certificate_file{};
  config::Node settings{};  ///< of ca.config.yml; no children without one
  std::map<Serial, UpkiCertificate> certificates{};
  std::optional<std::uint64_t> crl_number{};  ///< the highest that one of its CRLs has
  std::optional<Seconds> crl_update{};        ///< of the newest CRL
  std::vector<std::string> admins{};          ///< DNs, slash form, each once
  std::vector<UpkiFile> profiles{};           ///< place is the file's name
  std::vector<UpkiSecretFile> keys{};         ///< of the nodes
  std::vector<UpkiFile> kept{};               ///< what has no place in a realm, or could not be read: kept as it is
  std::vector<std::string> odd{};             ///< what an operator should know, a line each
  std::string digest{};                       ///< over everything that was read, hex: the same directory gives the same
};

/// @param ca_directory  where ca.key and ca.crt are; empty: the directory's own, else $HOME/.upki/ca, where uPKI keeps the live
/// ones, else the older private/ and certs/.
/// @errors NotFound: no directory, no CA; Malformed: no certificate in ca.crt; BadProof: the CA signed none of the certificates;
/// TooLarge; Denied, Io: a file cannot be read, and nothing may be lost silently.
Result<UpkiSource> read_upki(const base::Path& directory, const base::Path& ca_directory, Seconds now);

}  // namespace chancery::signer
