#pragma once

#include <memory>
#include <string>

#include "server/signer/create.h"
#include "server/signer/signing_key.h"

/// A CA whose key is in a token, when its realm is made.
namespace chancery::signer {

/// @errors InvalidParams: options for a token without all that are needed, or beside those of a key in a file.
Status check_token_options(const Creation& creation);
/// The lines of ca.config.yml; empty: the key is in a file.
std::string token_lines(const Creation& creation);
/// A new key in the token, or with existing_key the one that is there. @errors those of Pkcs11Module; InvalidParams: it is of
/// another kind than the options say; BadKey; Io.
Result<std::unique_ptr<SigningKey>> make_token_key(const Creation& creation, const config::RealmConfig& realm);

}  // namespace chancery::signer
