#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "server/base/names.h"
#include "server/base/role.h"
#include "server/config/finding.h"
#include "server/config/server_config.h"

/// Reads and validates configurations. Nothing is used before all of it holds, and one run names everything that does not.
namespace chancery::config {

inline constexpr std::size_t kMaxSourceBytes = 1 << 20;  ///< of one configuration file

/// What became of a configuration. Programs append what only they can check (keys that match certificates, ports that are
/// free) to the findings and ask `has_errors` again before they use the snapshot.
struct Loaded {
  std::shared_ptr<const Snapshot> snapshot;  ///< null when any finding is an error
  std::vector<Finding> findings;             ///< in the order of files and places
};

/// A command that command_roles may name. The command table is another room's; whoever loads brings what it needs of it.
struct KnownCommand {
  std::string_view name;
  Role least_role;
};

/// Reads chancery.xml, every realm that it names and their profiles, and holds all of it against the tables and the checks.
/// @param commands  what command_roles may name; with none, every name passes.
Loaded load(const std::filesystem::path& chancery_xml, std::span<const KnownCommand> commands = {});

/// Reads one realm's directory, for the signer and for reloads of one realm; appends what it finds.
/// @return null when one of the findings it appended is an error.
std::shared_ptr<const RealmConfig> load_realm(const RealmName& name, const std::filesystem::path& directory,
                                              std::vector<Finding>& findings);

}  // namespace chancery::config
