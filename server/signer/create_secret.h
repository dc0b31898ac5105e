#pragma once

#include <optional>
#include <string>

#include "server/config/realm_config.h"
#include "server/signer/create.h"

/// The secret of a key that people open, when its realm is made.
namespace chancery::signer {

/// That the options for it go together and with the others. @errors InvalidParams.
Status check_secret_options(const Creation& creation);

/// The `secret:` lines of ca.config.yml; empty: people have nothing to do with it. Makes the shares, of a new random passphrase,
/// where an earlier run left none. @errors those of split_secret, write_share_files, read_share_files.
Result<std::string> secret_lines(const Creation& creation);

/// What the key is encrypted with: the passphrase of the shares, the one that is asked for, or the realm's.
/// @errors InvalidParams: the configuration wants shares, and no option says where they are; those of read_passphrase.
Result<std::optional<SecretBytes>> passphrase_of(const Creation& creation, const config::RealmConfig& realm);

}  // namespace chancery::signer
