#pragma once

#include <span>
#include <string_view>

#include "server/config/setting.h"

/// `cas:` of ca.config.yml: a map from names to CAs of the realm beside its first one.
namespace chancery::config {

inline constexpr std::string_view kCasSection = "cas";

/// The rows of one CA.
std::span<const Setting<CaConfig>> ca_settings();

void read_cas(const Node& section, RealmConfig& realm, Report& report);
Node write_cas(const RealmConfig& realm);

/// References between CAs and to profiles, and the files below cas/. `root` is the realm's ca.config.yml.
void check_cas(const RealmConfig& realm, const Node& root, Report& report);

}  // namespace chancery::config
