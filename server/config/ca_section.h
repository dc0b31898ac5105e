#pragma once

#include <span>
#include <string_view>

#include "server/config/setting.h"

/// `cas:` of ca.config.yml: a map from names to CAs of the realm beside its first one.
namespace chancery::config {

inline constexpr std::string_view kCasSection = "cas";

/// The rows of one CA.
std::span<const Setting<CaConfig>> ca_settings();

/// Whether a row of the section has a name that a CA may have; reports it otherwise.
bool has_ca_name(const Node& child, Report& report);
void read_cas(const Node& section, RealmConfig& realm, Report& report);
Node write_cas(const RealmConfig& realm);

/// References between CAs and to profiles. `root` is what has the section: the realm's ca.config.yml, or a ceremony's plan of it.
void check_ca_references(const RealmConfig& realm, const Node& root, Report& report);
/// The same, and the files below cas/.
void check_cas(const RealmConfig& realm, const Node& root, Report& report);

}  // namespace chancery::config
