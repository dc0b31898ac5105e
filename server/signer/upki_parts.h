#pragma once

#include "server/config/realm_config.h"
#include "server/realm/authority.h"
#include "server/signer/import_source.h"
#include "server/x509/certificate.h"

/// The parts of a realm that only a uPKI CA has: settings and profiles of uPKI's making.
namespace chancery::signer {

/// Writes ca.config.yml, and the registration seed where uPKI's had one. Each documented key is taken, or said why not.
/// @errors Io.
Status write_upki_settings(const Creation& creation, ImportSource& source, const x509::Certificate& ca);

/// Writes the profiles that hold into profiles/; the others are kept. @return how many. @errors Io.
Result<std::size_t> write_upki_profiles(const Creation& creation, ImportSource& source);
/// Takes those profiles back of which that CA could issue nothing. @return how many. @errors Io.
Result<std::size_t> remove_useless_profiles(const config::RealmConfig& realm, const realm::Authority& authority,
                                            ImportSource& source, Seconds now);

/// What uPKI's file says of clients and uPKI did not do, as a first line: the realm does it.
void tell_of_clients_mode(const config::RealmConfig& realm, const base::Path& settings_file, ImportSource& source);

}  // namespace chancery::signer
