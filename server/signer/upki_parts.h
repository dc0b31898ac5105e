#pragma once

#include <string>
#include <vector>

#include "server/config/realm_config.h"
#include "server/realm/authority.h"
#include "server/signer/create.h"
#include "server/signer/records.h"
#include "server/signer/upki_source.h"

/// The parts of a realm that takes over a uPKI CA, each made of what read_upki found. What cannot be taken is a line of
/// `source.odd`.
namespace chancery::signer {

inline constexpr const char* kUpkiImporter = "import:upki";  ///< the requester of what was imported

/// Writes ca.config.yml, and the registration seed where uPKI's had one. Each documented key is taken, or said why not.
/// @errors Io.
Status write_upki_settings(const Creation& creation, UpkiSource& source, const base::KeySpec& key);

/// Writes the profiles that hold into profiles/; the others are kept. @return how many. @errors Io.
Result<std::size_t> write_upki_profiles(const Creation& creation, UpkiSource& source);
/// Takes those profiles back of which that CA could issue nothing. @return how many. @errors Io.
Result<std::size_t> remove_useless_profiles(const config::RealmConfig& realm, const realm::Authority& authority,
                                            UpkiSource& source, Seconds now);

/// What uPKI's file says of clients and uPKI did not do, as a first line: the realm does it.
void tell_of_clients_mode(const config::RealmConfig& realm, const base::Path& settings_file, UpkiSource& source);

/// Every serial that the directory names, as the journal has it; each profile that is guessed is a line of `source.odd`.
/// @param ca_end until when a lost certificate may be valid.
std::vector<Imported> imported_certificates(UpkiSource& source, const config::RealmConfig& realm, Seconds ca_end, Seconds now);
/// Revocations and administrators.
std::vector<AuditEvent> imported_events(const UpkiSource& source, Seconds now);

/// Writes the keys of certificates to nodes/<name>/; others are kept. @return how many. @errors Io.
Result<std::size_t> write_upki_keys(const config::RealmConfig& realm, UpkiSource& source, const crypto::PublicKey& ca_key);
/// Writes what was kept to imported/. @errors Io.
Status write_kept(const config::RealmConfig& realm, const UpkiSource& source);

}  // namespace chancery::signer
