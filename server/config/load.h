#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/base/names.h"
#include "server/base/role.h"
#include "server/config/finding.h"
#include "server/config/server_config.h"

/// Reads and validates configurations. Nothing is used before all of it holds, and one run names everything that does not.
namespace chancery::config {

inline constexpr std::size_t kMaxSourceBytes = 4 << 20;  ///< of one configuration file

/// A realm as far as it could be read.
struct ReadRealm {
  std::shared_ptr<const RealmConfig> realm;
  bool holds = false;  ///< no finding about it is an error; without that, its directory and name alone can be relied on
};

/// What became of a configuration. Programs append what only they can check (keys that match certificates, ports that are
/// free) to the findings and ask `has_errors` again before they use the snapshot.
struct Loaded {
  std::shared_ptr<const Snapshot> snapshot;  ///< null when any finding is an error
  std::vector<Finding> findings;             ///< in the order of files and places
  /// What was read, for who looks for further mistakes; nothing when chancery.xml says nothing that could be used.
  std::optional<ServerConfig> server;
  std::vector<ReadRealm> realms;
};

/// A command that command_roles may name. The command table is another room's; whoever loads brings what it needs of it.
struct KnownCommand {
  std::string_view name;
  Role least_role;
};

/// Where the server looks for front ends that are named without a slash, while chancery.xml has no program-directory.
using ProgramPlaces = std::vector<std::filesystem::path>;

/// A test of a realm's policy that does not hold: which one, and what is said about it.
struct FailedPolicyTest {
  std::size_t number = 0;
  std::string message;
};

/// What is around a configuration, and not of this room.
struct Surroundings {
  std::vector<KnownCommand> commands;  ///< what command_roles may name; with none, every name passes
  ProgramPlaces programs;              ///< with none, every name of a program passes
  /// Runs the tests beside a realm's rules; null: nobody does.
  std::vector<FailedPolicyTest> (*policy_tests)(const RealmConfig& realm) = nullptr;
};

/// Reads chancery.xml, every realm that it names and their profiles, and holds all of it against the tables and the checks.
Loaded load(const std::filesystem::path& chancery_xml, const Surroundings& around = {});

/// Reads one realm's directory, for the signer and for reloads of one realm; appends what it finds.
/// @return null when one of the findings it appended is an error.
std::shared_ptr<const RealmConfig> load_realm(const RealmName& name, const std::filesystem::path& directory,
                                              std::vector<Finding>& findings);

/// An error at the place of a setting in a realm's ca.config.yml, for who finds a fault in what the setting names. The file is
/// read once more for the place; without the setting there, the finding is about the file.
Finding error_at_setting(const RealmConfig& realm, std::string_view setting, std::string message);

}  // namespace chancery::config
