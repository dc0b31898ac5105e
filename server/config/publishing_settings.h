#pragma once

#include <span>
#include <string_view>

#include "server/config/checks.h"
#include "server/config/setting.h"

/// `publishing:` of ca.config.yml: its rows, and what must hold among them.
namespace chancery::config {

inline constexpr std::string_view kPublishingSection = "publishing";
inline constexpr std::string_view kLdapPublishingSection = "ldap";  ///< inside it

std::span<const Setting<PublishingConfig>> publishing_settings();
std::span<const Setting<LdapPublishing>> ldap_publishing_settings();

void read_publishing(const Node& section, PublishingConfig& publishing, Report& report);
Node write_publishing(const PublishingConfig& publishing);
/// Paths that are relative start at the realm's directory.
void resolve_publishing_paths(PublishingConfig& publishing, const std::filesystem::path& directory);

/// The section by itself. `root` is ca.config.yml.
void check_publishing(const RealmConfig& realm, const Node& root, Report& report);
/// That a front end publishes. `root` is ca.config.yml.
void check_publishing_in_server(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report);

}  // namespace chancery::config
