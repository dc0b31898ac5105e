#pragma once

#include <span>
#include <string_view>

#include "server/config/checks.h"
#include "server/config/setting.h"

/// `notices:` of ca.config.yml: its rows, and what must hold among them.
namespace chancery::config {

inline constexpr std::string_view kNoticesSection = "notices";

std::span<const Setting<NoticesConfig>> notice_settings();

void read_notices(const Node& section, NoticesConfig& notices, Report& report);
Node write_notices(const NoticesConfig& notices);
/// Paths that are relative start at the realm's directory.
void resolve_notice_paths(NoticesConfig& notices, const std::filesystem::path& directory);

/// The section by itself and in its realm. `root` is ca.config.yml.
void check_notices(const RealmConfig& realm, const Node& root, Report& report);
/// That a front end sends them, and can read what it needs for it.
void check_notices_in_server(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report);

}  // namespace chancery::config
