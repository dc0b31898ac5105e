#pragma once

#include <span>
#include <string_view>

#include "server/config/load.h"
#include "server/config/realm_config.h"
#include "server/config/setting.h"

/// `roles`, `logins`, `login_limits` and `access` of ca.config.yml.
namespace chancery::config {

inline constexpr std::string_view kRolesSection = "roles";
inline constexpr std::string_view kLoginsSection = "logins";
inline constexpr std::string_view kLoginLimitsSection = "login_limits";
inline constexpr std::string_view kAccessSection = "access";
inline constexpr std::string_view kGivesSection = "gives";
inline constexpr std::array kPeopleSections{kRolesSection, kLoginsSection, kLoginLimitsSection, kAccessSection};

std::span<const Setting<LoginStack>> login_settings();
std::span<const Setting<LoginLimits>> login_limit_settings();
std::span<const Setting<AccessRule>> access_settings();

/// @param root  the whole of ca.config.yml
void read_people(const Node& root, PeopleConfig& people, Report& report);
/// One node for each of kPeopleSections, in their order.
std::vector<Node> write_people(const PeopleConfig& people);

/// What must hold between roles, stacks, rules, profiles and files. Paths are resolved.
void check_people(const RealmConfig& realm, const Node& root, Report& report);
/// That a role is one of these or the realm's own; `at` is where it stands.
void check_role_among(std::span<const Role> built_in, const PeopleConfig& people, const std::string& role, const Node& at,
                      Report& report);
/// That rules name commands that there are. @param commands  none: every name passes
void check_access_commands(const RealmConfig& realm, std::span<const KnownCommand> commands, const Node& root, Report& report);

}  // namespace chancery::config
