#pragma once

#include <string>
#include <vector>

#include "server/config/finding.h"
#include "server/config/realm_config.h"
#include "server/crypto/key.h"
#include "server/signer/import_source.h"
#include "server/signer/records.h"
#include "server/x509/certificate.h"

/// The parts of a realm that takes over a CA, each made of what a source's reader found. What cannot be taken is a line of
/// `source.odd`.
namespace chancery::signer {

/// What a profile and a certificate must have in common.
enum class Guess {
  ByUsages,        ///< what it may be used for
  ByUsagesAndUnit  ///< and for whom: uPKI's profiles have both
};

/// How history is written.
struct Taking {
  const config::RealmConfig& realm;
  Guess guess;
  std::string requester;  ///< "import:openssl-ca"
  Seconds ca_end{};       ///< until when a lost certificate may be valid
  Seconds now{};
};

/// A text as YAML; JSON's texts are YAML's double-quoted ones.
std::string quoted_text(const std::string& text);
/// Whether the realm's reader takes that key with that value.
bool is_setting(const config::Node& child, std::vector<config::Finding>& findings);

/// Writes ca.config.yml of a realm whose source has no settings that are Chancery's. @errors Io.
Status write_plain_settings(const Creation& creation, ImportSource& source, const x509::Certificate& ca);

/// Every serial that the source names, as the journal has it; profiles that are guessed are lines of `source.odd`.
std::vector<Imported> imported_certificates(ImportSource& source, const Taking& taking);
/// Revocations and administrators.
std::vector<AuditEvent> imported_events(const ImportSource& source, const Taking& taking);

/// Writes the keys of certificates to nodes/<name>/; others are kept. @return how many. @errors Io.
Result<std::size_t> write_keys(const config::RealmConfig& realm, ImportSource& source, const crypto::PublicKey& ca_key);
/// Writes what was kept to imported/. @errors Io.
Status write_kept(const config::RealmConfig& realm, const ImportSource& source);

}  // namespace chancery::signer
