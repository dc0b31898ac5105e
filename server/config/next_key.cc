#include "server/config/next_key.h"

#include <algorithm>

namespace chancery::config {
namespace {

/// What the CA's own section says: that below `rollover:`, or that below `cas: NAME:`.
struct Own {
  std::string store;
  TokenConfig token;
};
Own own_of(const RealmConfig& realm, std::string_view ca) {
  if (ca == kFirstCa) return {realm.rollover.key_store, realm.rollover.pkcs11};
  const auto found = realm.cas.find(std::string(ca));
  return found == realm.cas.end() ? Own() : Own{found->second.key_store, found->second.pkcs11};
}

/// The same token, with the key that another section names.
TokenConfig with_key_of(TokenConfig token, const TokenConfig& key) {
  token.key_label = key.key_label;
  token.key_id = key.key_id;
  token.existing_key = key.existing_key;
  return token;
}

void add(const TokenConfig& token, std::vector<TokenConfig>& all) {
  const bool is_whole = !token.module.empty() && (!token.token.empty() || !token.serial.empty());
  const auto is_it = [&](const TokenConfig& one) { return is_same_token(one, token); };
  if (is_whole && std::ranges::none_of(all, is_it)) all.push_back(token);
}

}  // namespace

NextKey next_key(const RealmConfig& realm, std::string_view ca) {
  const auto own = own_of(realm, ca);
  const auto& store = own.store.empty() ? realm.keys.store : own.store;
  if (store != "pkcs11") return {};
  return {true, own.token.is_named() ? own.token : with_key_of(realm.keys.token, own.token)};
}

std::string key_label_for(const RealmConfig& realm, const TokenConfig& token, std::string_view generation) {
  return in_generation(token.key_label.empty() ? realm.name.text() + "/" + std::string(kGenerationPlace) : token.key_label,
                       generation);
}

bool is_same_token(const TokenConfig& one, const TokenConfig& other) {
  return one.module == other.module && one.token == other.token && one.serial == other.serial;
}

bool is_same_session(const TokenConfig& one, const TokenConfig& other) { return with_key_of(one, other) == other; }

std::vector<TokenConfig> tokens_of(const RealmConfig& realm) {
  std::vector<TokenConfig> all;
  add(realm.keys.token, all);
  add(realm.rollover.pkcs11, all);
  for (const auto& [name, ca] : realm.cas) add(ca.pkcs11, all);
  return all;
}

}  // namespace chancery::config
