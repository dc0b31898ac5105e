#pragma once

#include "server/signer/import_source.h"

namespace chancery::signer {

/// Takes over another program's CA as a realm, from a source of that kind. The realm is made aside and put in its place in one
/// step: what is refused or cut off leaves nothing. The source is only read. Certificates, revocations and administrators are
/// records of the realm's journal, which the store follows as it does after every loss. A second run finds the realm made of the
/// same source and changes nothing.
/// @return {kind, realm, directory, changed, layout, ca_key_file, subject, key, not_after, next_crl_number, next_serial, odd,
/// certificates, valid, expired, lost, revoked, foreign, weak, admins, profiles, keys, keys_left, findings}: what an operator
/// should know, line by line, then the counts; of a dry run with dry_run in it.
/// @errors those of the source's reader and of create_realm; Exists: something else is at the realm's place, or the source
/// changed since.
Result<Json> import_ca(const ImportKind& kind, const ImportOrder& order, Seconds now);

}  // namespace chancery::signer
