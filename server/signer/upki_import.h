#pragma once

#include "server/signer/create.h"

namespace chancery::signer {

/// The CA of a uPKI data directory as a realm.
struct UpkiImport {
  Creation creation;        ///< realm, directory, protection of the key and owners; the rest is uPKI's
  base::Path source;        ///< the data directory
  base::Path ca_directory;  ///< as of read_upki
};

/// Makes the realm aside and puts it in its place in one step: what is refused or cut off leaves nothing. uPKI's directory is
/// only read. Certificates, revocations and administrators are records of the realm's journal, which the store follows as it
/// does after every loss. A second run finds the realm made of the same directory and changes nothing.
/// @return {realm, directory, changed, generation, ca_key_file, subject, key, not_after, odd, certificates, lost, revoked,
/// admins, profiles, keys, findings}: what an operator should know, line by line, then the counts.
/// @errors those of read_upki and create_realm; Exists: something else is at the realm's place, or uPKI's directory changed
/// since.
Result<Json> import_upki(UpkiImport order, Seconds now);

}  // namespace chancery::signer
