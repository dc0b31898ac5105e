#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/config/realm_config.h"

/// Where the keys of a realm's further CAs and generations are made: what `cas:`, `rollover:` and `pkcs11:` say together. Pure.
namespace chancery::config {

/// Of a CA's next generation.
struct NextKey {
  bool in_token = false;
  TokenConfig token{};  ///< whole, also where the realm's `pkcs11:` says which token; of its key what the CA's own section says
};
NextKey next_key(const RealmConfig& realm, std::string_view ca);

/// The label that a generation's key has or gets: the setting's, with the generation for {ca}.
std::string key_label_for(const RealmConfig& realm, const TokenConfig& token, std::string_view generation);

/// Whether both say the same token, whatever they say of keys in it.
bool is_same_token(const TokenConfig& one, const TokenConfig& other);
/// Whether they say the same of the token, too: how it is opened, and what it reaches.
bool is_same_session(const TokenConfig& one, const TokenConfig& other);

/// Every token that the realm describes, each once, its first CA's before the others.
std::vector<TokenConfig> tokens_of(const RealmConfig& realm);

}  // namespace chancery::config
