#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "server/config/load.h"
#include "server/config/node.h"
#include "server/config/report.h"
#include "server/config/server_config.h"

/// What must hold beyond the syntax of single settings, as far as it can be said without a certificate library, a network or
/// a database. Each check reports at the place of the setting that has to change.
namespace chancery::config {

/// Files and directories that settings name.
struct FileRules {
  std::filesystem::path owner_of;       ///< besides root and this process, the owner of this directory may own the file
  std::vector<std::string> users = {};  ///< and these Unix users
};
/// Whom the server gives files of a realm: signers and workers, as far as they are users of their own.
std::vector<std::string> users_of_files(const ServerConfig& server);
/// A key or passphrase: a regular file, no symbolic link, not empty, reachable by its owner only (PROMISES D33).
void check_secret_file(const std::filesystem::path& file, const FileRules& rules, const Node& at, Report& report);
/// What a setting names has to be a regular file; an empty name is none. @param expected  what belongs there, and what to do
void check_is_file(const std::filesystem::path& file, std::string_view expected, const Node& at, Report& report);
/// What belongs into tls_ca_file, wherever an LDAP or HTTP server is spoken to.
inline constexpr std::string_view kTlsCaFile =
    "PEM certificates of the CAs that the server's certificate comes from: put them there, or leave the setting out, "
    "and those of the system count";
/// What the server is told to run: a regular file that somebody may execute, not writable by others.
void check_program_file(const std::filesystem::path& file, const FileRules& rules, const Node& at, Report& report);
/// A configuration file or directory: not writable by others.
void check_trusted(const std::filesystem::path& file, const FileRules& rules, Report& report, const Node& at = Node());
/// That a directory is there, or that it could be made.
void check_creatable(const std::filesystem::path& directory, const Node& at, Report& report);

/// One profile by itself and in its realm. `node` is where the profile stands.
void check_profile(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report);
/// What it says about approvals. @pre its paths are whole
void check_approval(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report);
/// What `requests:` says. `root` is ca.config.yml.
void check_requests(const RealmConfig& realm, const Node& root, Report& report);
/// One that has approvals against the realm's other profiles and its doors.
void check_profile_among_others(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report);
/// That something is left of a validity from which the realm's backdate is taken.
void check_outlasts_backdate(const RealmConfig& realm, std::chrono::seconds validity, const Node& at, Report& report);
/// A realm whose profiles are complete. `root` is its ca.config.yml.
void check_realm(const RealmConfig& realm, const Node& root, Report& report);
/// The server against the realms it has. `root` is its chancery.xml.
void check_server(const ServerConfig& server, const std::vector<RealmName>& realms, const ProgramPlaces& programs,
                  const Node& root, Report& report);

/// A realm's addresses against the listeners. `root` is its ca.config.yml.
void check_realm_in_server(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report);
/// That command_roles names commands that exist, and demands more of them than the table does.
void check_command_roles(const RealmConfig& realm, std::span<const KnownCommand> commands, const Node& root, Report& report);

}  // namespace chancery::config
