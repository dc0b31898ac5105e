#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/names.h"
#include "server/config/node.h"
#include "server/signer/create.h"
#include "server/signer/create_options.h"
#include "server/x509/foreign.h"

/// What another program's CA is: the records that each reader of a source makes, whichever program it was. Nothing of it is
/// written there, no link is followed, and names of files are only ever shown.
namespace chancery::signer {

/// A name out of the source as findings show it.
std::string shown(std::string_view text);

/// When and why a certificate was revoked.
struct SourceRevocation {
  Seconds at{};
  std::string reason;  ///< CRLReason name
};

/// All that the source says of one serial: its certificate, its records, its revocation.
struct SourceCertificate {
  std::optional<x509::ForeignCertificate> certificate;  ///< none: only records name it
  std::string dn;                                       ///< of the records, slash form where it can be read
  std::string cn;
  std::string profile;
  std::optional<Seconds> not_after;  ///< of the records
  std::optional<SourceRevocation> revocation;
  std::string found_in;  ///< the file that named it first, from the directory on
};

/// A file by its place in the directory, "certs/www.example.com.crt".
struct SourceFile {
  std::string place;
  std::string content;
};
struct SourceSecretFile {
  std::string place;
  SecretBytes content;
};

struct ImportSource {
  base::Path directory;
  std::string layout{};  ///< which of the program's layouts it has, "documented"
  base::Path key_file{};
  std::optional<SecretBytes> key_pem{};  ///< instead of key_file's content, where that is no PEM
  base::Path certificate_file{};
  std::string chain_pem{};  ///< the CA's certificate, then those above it
  config::Node settings{};  ///< of uPKI's ca.config.yml; no children without one
  std::map<Serial, SourceCertificate> certificates{};
  std::optional<std::uint64_t> crl_number{};  ///< the highest that was used
  std::optional<Seconds> crl_update{};        ///< of the newest CRL
  std::string next_serial{};                  ///< where serials are counted: the next one, hex
  std::vector<std::string> admins{};          ///< DNs, slash form, each once
  std::vector<SourceFile> profiles{};         ///< place is the file's name
  std::vector<SourceSecretFile> keys{};       ///< of the nodes
  std::size_t keys_left = 0;                  ///< keys of certificates that are not taken
  std::size_t foreign = 0;                    ///< certificates of other CAs
  std::vector<SourceFile> kept{};             ///< what has no place in a realm, or could not be read: kept as it is
  std::vector<std::string> odd{};             ///< what an operator should know, a line each
  std::string digest{};                       ///< over everything that was read, hex: the same source gives the same
};

/// What is to be taken over, and into what.
struct ImportOrder {
  Creation creation;            ///< realm, directory, protection of the key and owners; the rest is the source's
  base::Path source;            ///< the directory
  base::Path ca_directory{};    ///< of uPKI's live CA
  base::Path ca_certificate{};  ///< empty: the usual places
  base::Path ca_key{};
  base::Path chain{};          ///< the certificates above the CA's
  base::Path configuration{};  ///< openssl.cnf
  base::Path certificates{};   ///< where more certificates and CRLs are
  bool dry_run = false;
};

/// Each reads a source of its kind, and makes sure of all that it says: certificates and CRLs are of the CA's key.
/// @errors NotFound: no directory, no CA; Malformed: no certificate in the CA's file, a record that cannot be read; BadProof: the
/// CA signed none of the certificates; Conflict: two certificates of one serial; Unsupported: a revocation that a CRL of today
/// cannot say; TooLarge; Denied, Io: a file cannot be read, and nothing may be lost silently.
Result<ImportSource> read_easy_rsa(const ImportOrder& order, Seconds now);
Result<ImportSource> read_openssl_ca(const ImportOrder& order, Seconds now);
Result<ImportSource> read_openxpki_export(const ImportOrder& order, Seconds now);
Result<ImportSource> read_pem_dir(const ImportOrder& order, Seconds now);
Result<ImportSource> read_step_ca(const ImportOrder& order, Seconds now);
Result<ImportSource> read_upki(const ImportOrder& order, Seconds now);

}  // namespace chancery::signer
