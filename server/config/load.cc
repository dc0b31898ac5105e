#include "server/config/load.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>

#include "server/base/text.h"
#include "server/config/builtin_profiles.h"
#include "server/config/checks.h"
#include "server/config/enrolment_settings.h"
#include "server/config/key_checks.h"
#include "server/config/notice_settings.h"
#include "server/config/paths.h"
#include "server/config/people_settings.h"
#include "server/config/policy_settings.h"
#include "server/config/profile_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/realms_apart.h"
#include "server/config/rules_text.h"
#include "server/config/server_settings.h"
#include "server/config/source.h"

namespace chancery::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRealmFile = "ca.config.yml";
constexpr std::string_view kProfileDirectory = "profiles";
constexpr std::size_t kMaxProfileFiles = 1000;

fs::path whole_path(const fs::path& path) {
  std::error_code failure;
  const auto whole = fs::absolute(path, failure);
  return below("/", failure ? path : whole);
}

/// The directory's entries of one kind, sorted by name. An unreadable directory has none; reading what it should hold says why.
std::vector<fs::path> entries(const fs::path& directory, auto accept) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure)) {
    if (accept(*it)) found.push_back(it->path());
  }
  std::ranges::sort(found);
  return found;
}

std::optional<Node> read_yaml(const fs::path& file, Report& report) {
  const auto text = read_source(file, report);
  if (!text) return std::nullopt;
  return parse_yaml(*text, report);
}

/// One profiles/<name>.yml as it was read.
struct ProfileFile {
  fs::path file;
  ProfileName name;
  Node root;
};

void resolve_paths(const RealmConfig& realm, Profile& profile) { resolve(realm.directory, profile.approval.auto_hosts); }

/// Reads one profiles/<name>.yml into the realm. @return none: it holds no profile.
std::optional<ProfileFile> add_profile_file(const fs::path& file, const Node& realm_root, RealmConfig& realm, Report& report) {
  const auto stem = file.stem().string();
  const auto name = ProfileName::parse(stem);
  if (!name.ok()) {
    report.error_at(1, 1, "found the file name \"" + stem + "\": " + name.error().message());
    return std::nullopt;
  }
  check_trusted(file, {realm.directory}, report);
  const Node* inline_profiles = realm_root.find(kProfilesSection);
  if (inline_profiles != nullptr && inline_profiles->find(stem) != nullptr) {
    report.error_at(1, 1, "found profile \"" + stem + "\" here and in ca.config.yml, expected it in one of them");
  }
  auto root = read_yaml(file, report);
  if (!root) return std::nullopt;
  const auto known = realm.profiles.find(*name);
  auto profile = read_profile(*root, known == realm.profiles.end() ? Profile(*name) : known->second, report);
  resolve_paths(realm, profile);
  if (root->kind == Node::Kind::Map) check_profile(profile, realm, *root, report);
  realm.profiles.insert_or_assign(*name, std::move(profile));
  return ProfileFile{file, *name, std::move(*root)};
}

std::vector<ProfileFile> add_profile_files(const Node& realm_root, RealmConfig& realm, std::vector<Finding>& findings) {
  const auto directory = realm.directory / kProfileDirectory;
  const auto files = entries(directory, [](const fs::directory_entry& one) {
    const auto extension = one.path().extension();
    return (extension == ".yml" || extension == ".yaml") && !one.path().filename().string().starts_with('.');
  });
  if (files.size() > kMaxProfileFiles) {
    Report(directory.string(), findings)
        .error_at(1, 1, "found " + std::to_string(files.size()) + " profiles, expected at most 1000");
    return {};
  }
  std::vector<ProfileFile> read;
  for (const auto& file : files) {
    Report report(file.string(), findings);
    if (file.extension() == ".yaml") {
      report.warning(Node(), "found the ending .yaml: the file is not read, expected .yml");
      continue;
    }
    if (auto one = add_profile_file(file, realm_root, realm, report)) read.push_back(std::move(*one));
  }
  return read;
}

/// What can be said of a profile once all of them are known.
void check_profiles_together(const RealmConfig& realm, const Node& root, const std::vector<ProfileFile>& files, Report& report,
                             std::vector<Finding>& findings) {
  const Node* section = root.find(kProfilesSection);
  for (const auto& [name, profile] : realm.profiles) {
    const Node* node = section != nullptr ? section->find(name.text()) : nullptr;
    if (node != nullptr) check_profile_among_others(profile, realm, *node, report);
  }
  for (const auto& one : files) {
    Report of_file(one.file.string(), findings);
    check_profile_among_others(realm.profiles.at(one.name), realm, one.root, of_file);
  }
}

/// Profiles that stand in ca.config.yml itself, and the built-in ones that nothing overrides.
void check_inline_profiles(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kProfilesSection);
  for (const auto& [name, profile] : realm.profiles) {
    const Node* node = section != nullptr ? section->find(name.text()) : nullptr;
    if (node != nullptr) check_profile(profile, realm, *node, report);
  }
}

void resolve_paths(RealmConfig& realm) {
  resolve(realm.directory, realm.passphrase_file);
  resolve(realm.directory, realm.seed_file);
  resolve(realm.directory, realm.keys.token.pin_file);
  resolve(realm.directory, realm.rollover.pkcs11.pin_file);
  for (auto& [name, ca] : realm.cas) resolve(realm.directory, ca.pkcs11.pin_file);
  resolve_rule_paths(realm);
  resolve_notice_paths(realm.notices, realm.directory);
  resolve_publishing_paths(realm.publishing, realm.directory);
  for (auto& file : realm.key_block_lists) resolve(realm.directory, file);
  for (auto& [name, profile] : realm.profiles) resolve_paths(realm, profile);
}

void resolve_paths(ServerConfig& server) {
  const auto directory = server.file.parent_path();
  server.run_directory = below(directory, server.run_directory);
  server.program_directory = below(directory, server.program_directory);
  server.realms_directory = below(directory, server.realms_directory);
  for (auto& front_end : server.front_ends) {
    if (!front_end.vantage_key_file.empty()) front_end.vantage_key_file = below(directory, front_end.vantage_key_file);
  }
  for (auto& endpoint : server.zmq_endpoints) {
    if (!endpoint.server_key_file.empty()) endpoint.server_key_file = below(directory, endpoint.server_key_file);
  }
}

/// Where the setting stands, or the element that would have it.
const Node& realms_directory_in(const Node& root) {
  const Node* section = root.find("realms");
  const Node* directory = section != nullptr ? section->find("directory") : nullptr;
  return directory != nullptr ? *directory : section != nullptr ? *section : root;
}

/// The realms that chancery.xml names, or every directory that looks like one.
std::vector<RealmName> realms_of(const ServerConfig& server, const Node& root, Report& report) {
  const Node* section = root.find("realms");
  const Node& at = section != nullptr ? *section : root;
  std::vector<std::string> names = server.realm_names;
  if (names.empty()) {
    const auto holds_realm = [](const fs::directory_entry& one) {
      std::error_code ignored;
      return fs::exists(one.path() / kRealmFile, ignored);
    };
    for (const auto& directory : entries(server.realms_directory, holds_realm)) names.push_back(directory.filename().string());
  }
  std::vector<RealmName> realms;
  for (const auto& text : names) {
    const auto name = RealmName::parse(text);
    if (!name.ok()) {
      if (server.realm_names.empty()) report.error(at, "found the directory \"" + text + "\": " + name.error().message());
      continue;  // a bad name in an attribute is reported already
    }
    if (std::ranges::count(realms, *name) != 0) {
      report.error(at, "found the realm \"" + text + "\" twice, expected it once");
      continue;
    }
    realms.push_back(*name);
  }
  if (realms.empty() && server.realm_names.empty())
    report.error(at,
                 "found no realm, expected at least one directory with a ca.config.yml in " + server.realms_directory.string());
  std::ranges::sort(realms);
  return realms;
}

/// The first directory on the way to `path` that this process may not go through; empty: none.
fs::path closed_on_the_way(const fs::path& path) {
  fs::path at;
  for (const auto& part : path.parent_path()) {
    at /= part;
    if (::faccessat(AT_FDCWD, at.c_str(), X_OK, AT_EACCESS) != 0 && errno == EACCES) return at;
  }
  return {};
}

/// Where chancery.xml names a realm.
struct NamedAt {
  std::string file;
  const Node* node;  ///< null: it does not, every directory is a realm
};

NamedAt named_at(const fs::path& chancery_xml, const Node& root, const RealmName& realm) {
  const Node* section = root.find("realms");
  if (section != nullptr) {
    for (const auto& row : section->children) {
      const Node* name = row.find("name");
      if (row.name == "realm" && name != nullptr && name->text == realm.text()) return {chancery_xml.string(), name};
    }
  }
  return {chancery_xml.string(), nullptr};
}

/// A realm's directory that is not there, or that this process cannot get to, which is no fault of the file in it.
void report_no_directory(const fs::path& directory, const std::error_code& failure, const NamedAt& named, Report& report,
                         std::vector<Finding>& findings) {
  const auto closed = failure == std::errc::permission_denied ? closed_on_the_way(directory) : fs::path();
  if (!closed.empty()) {
    return Report(directory.string(), findings)
        .error_at(0, 0,
                  "found no way through " + closed.string() + " for uid " + std::to_string(::geteuid()) +
                      ", expected to reach the realm's directory (chmod o+x " + closed.string() + ")");
  }
  const auto why = failure && failure != std::errc::no_such_file_or_directory ? " (" + failure.message() + ")" : "";
  const auto message = "found no directory " + directory.string() + why + ", expected the realm's";
  if (named.node != nullptr) return Report(named.file, findings).error(*named.node, message);
  report.error_at(1, 1, message);
}

/// What the server knows and one realm alone does not.
using MoreChecks = std::function<void(const RealmConfig& realm, const Node& root, Report& report)>;

ReadRealm read_directory(const RealmName& name, const fs::path& directory, const NamedAt& named, const MoreChecks& check_more,
                         std::vector<Finding>& findings) {
  std::vector<Finding> own;
  auto realm = std::make_shared<RealmConfig>(name);
  realm->directory = whole_path(directory);
  realm->profiles = builtin_profiles();
  const auto file = realm->directory / kRealmFile;
  Report report(file.string(), own);
  std::error_code failure;
  if (!fs::is_directory(realm->directory, failure)) {
    report_no_directory(realm->directory, failure, named, report, own);
  } else if (const auto root = read_yaml(file, report); root && is_section(*root, report)) {
    check_trusted(realm->directory, {realm->directory}, report);
    check_trusted(file, {realm->directory}, report);
    *realm = read_realm(*root, std::move(*realm), report);
    resolve_paths(*realm);
    check_inline_profiles(*realm, *root, report);
    const auto files = add_profile_files(*root, *realm, own);
    check_profiles_together(*realm, *root, files, report, own);
    check_realm(*realm, *root, report);
    check_people(*realm, *root, report);
    check_enrolment(*realm, *root, report);
    if (check_more) check_more(*realm, *root, report);
  }
  sort_by_place(own);
  const bool failed = has_errors(own);
  findings.insert(findings.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  return {std::move(realm), !failed};
}

}  // namespace

void resolve_rule_paths(RealmConfig& realm) {
  for (auto& [name, stack] : realm.people.logins) {
    for (auto* file : {&stack.tls_ca_file, &stack.bind_password_file}) resolve(realm.directory, *file);
  }
  resolve_enrolment_paths(realm.enrolment, realm.directory);
}

std::shared_ptr<const RealmConfig> load_realm(const RealmName& name, const fs::path& directory, std::vector<Finding>& findings) {
  auto read = read_directory(name, directory, {}, nullptr, findings);
  return read.holds ? std::move(read.realm) : nullptr;
}

Finding error_at_setting(const RealmConfig& realm, std::string_view setting, std::string message) {
  const auto file = realm.directory / kRealmFile;
  std::vector<Finding> ignored;
  Report report(file.string(), ignored);
  const auto root = read_yaml(file, report);
  const Node* found = root ? root->find(setting) : nullptr;
  const Node at = found != nullptr ? *found : Node();
  return {Finding::Error, file.string(), at.line, at.column, at.path, std::move(message)};
}

Loaded load(const fs::path& chancery_xml, const Surroundings& around) {
  Loaded loaded;
  Report report(chancery_xml.string(), loaded.findings);
  const auto text = read_source(chancery_xml, report);
  const auto root = text ? parse_xml(*text, report) : std::nullopt;
  if (!root) return loaded;
  check_trusted(chancery_xml, {chancery_xml.parent_path()}, report);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->server = read_server(*root, report);
  snapshot->server.file = whole_path(chancery_xml);
  if (root->name != kRootElement) return loaded;  // nothing else makes sense of it
  resolve_paths(snapshot->server);
  check_trusted(snapshot->server.realms_directory, {chancery_xml.parent_path(), users_of_files(snapshot->server)}, report,
                realms_directory_in(*root));
  const auto realms = realms_of(snapshot->server, *root, report);
  check_server(snapshot->server, realms, around.programs, *root, report);
  RealmsApart apart;
  const MoreChecks check_more = [&](const RealmConfig& realm, const Node& realm_root, Report& realm_report) {
    check_realm_in_server(snapshot->server, realm, realm_root, realm_report);
    apart.check(realm, realm_report);
    if (!around.commands.empty()) {
      check_command_roles(realm, around.commands, realm_root, realm_report);
      check_access_commands(realm, around.commands, realm_root, realm_report);
    }
    if (around.policy_tests != nullptr && !realm_report.failed()) {
      for (const auto& failed : around.policy_tests(realm)) report_policy_test(realm_root, failed, realm_report);
    }
  };
  for (const auto& name : realms) {
    loaded.realms.push_back(read_directory(name, snapshot->server.realms_directory / name.text(),
                                           named_at(chancery_xml, *root, name), check_more, loaded.findings));
    snapshot->realms.push_back(loaded.realms.back().realm);
  }
  loaded.server = snapshot->server;
  sort_by_place(loaded.findings);
  if (!has_errors(loaded.findings)) loaded.snapshot = std::move(snapshot);
  return loaded;
}

}  // namespace chancery::config
