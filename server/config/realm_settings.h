#pragma once

#include <span>
#include <string_view>

#include "server/config/realm_config.h"
#include "server/config/setting.h"

/// The settings of ca.config.yml: the one table of them.
namespace chancery::config {

std::span<const Setting<RealmConfig>> realm_settings();
std::span<const Setting<AcmeConfig>> acme_settings();

/// A key of uPKI's ca.config.yml that has no place here, and why.
struct MovedKey {
  std::string_view name;
  std::string_view where;
};
std::span<const MovedKey> moved_keys();

inline constexpr std::string_view kAcmeSection = "acme";
inline constexpr std::string_view kCommandRolesSection = "command_roles";
inline constexpr std::string_view kProfilesSection = "profiles";

/// Every name that may stand in a ca.config.yml, with aliases and sections, in the order of the tables.
std::vector<std::string> realm_setting_names();

/// @pre root is a map. Reads ca.config.yml over what `base` says: the profiles that `profiles:` names are read over those in
/// base.profiles.
RealmConfig read_realm(const Node& root, RealmConfig base, Report& report);
/// Everything, defaults and profiles included.
Node write_realm(const RealmConfig& realm);
/// `command_roles` alone.
Node write_command_roles(const RealmConfig& realm);

}  // namespace chancery::config
