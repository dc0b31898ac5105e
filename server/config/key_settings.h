#pragma once

#include <span>
#include <string_view>

#include "server/config/setting.h"

/// `key_store:`, `secret:` and `pkcs11:` of ca.config.yml.
namespace chancery::config {

inline constexpr std::string_view kSecretSection = "secret";
inline constexpr std::string_view kTokenSection = "pkcs11";

std::span<const Setting<KeysConfig>> key_settings();
std::span<const Setting<SecretConfig>> secret_settings();
std::span<const Setting<TokenConfig>> token_settings();

/// `pkcs11:` below `cas: NAME:` and `rollover:`: the rows of token_settings, and what is said of a key that is made later.
std::span<const Setting<TokenConfig>> further_token_settings();
/// Reads the section where `parent` has it.
void read_further_token(const Node& parent, TokenConfig& token, Report& report);
/// Writes it where it says anything.
void write_further_token(const TokenConfig& token, Node& parent);

/// The names that read_keys reads at the top of the file.
std::vector<std::string> key_names();
void read_keys(const Node& root, KeysConfig& keys, Report& report);
void write_keys(const KeysConfig& keys, Node& root);

}  // namespace chancery::config
