#pragma once

#include <span>

#include "server/config/realm_config.h"
#include "server/config/setting.h"

/// The settings of a profile: the one table of them. uPKI's names come first, its documentation's names and Chancery's own
/// beside them (UPKI.md section 3).
namespace chancery::config {

std::span<const Setting<Profile>> profile_settings();

/// Reads one profile over what `base` says: the built-in of the same name, or the values of an empty profile.
Profile read_profile(const Node& node, Profile base, Report& report);
Node write_profile(const Profile& profile);

/// uPKI's form of a key kind, keyType and keyLen (or key_type and key_length), beside `key`; reads it into `key`.
void read_upki_key(const Node& section, base::KeySpec& key, Report& report);
inline constexpr std::string_view kKeyTypeNames = "keyType key_type";
inline constexpr std::string_view kKeyLengthNames = "keyLen key_length";

}  // namespace chancery::config
