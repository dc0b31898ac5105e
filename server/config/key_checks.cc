#include "server/config/key_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vector>

#include "server/base/text.h"
#include "server/config/ca_section.h"
#include "server/config/checks.h"
#include "server/config/key_settings.h"
#include "server/config/load.h"
#include "server/config/rollover_settings.h"

namespace chancery::config {
namespace {

namespace fs = std::filesystem;

void check_passphrase_file(const RealmConfig& realm, const Node& root, Report& report) {
  if (!realm.passphrase_file.empty())
    check_secret_file(realm.passphrase_file, {realm.directory}, place_of(root, {"passphrase_file"}), report);
}

void check_file_ways(const RealmConfig& realm, const Node& root, Report& report) {
  const Node& place = place_of(root, {"key_unencrypted", "passphrase_credential", "passphrase_file", kSecretSection});
  const std::array ways{KeyWay{"passphrase_file", !realm.passphrase_file.empty()},
                        KeyWay{"passphrase_credential", !realm.passphrase_credential.empty()},
                        KeyWay{"secret", realm.keys.secret.from_people()},
                        KeyWay{"key_unencrypted: true", realm.key_unencrypted}};
  check_key_ways(ways, place, "protection of ca.key", report);
  check_passphrase_file(realm, root, report);
  const Node* token = root.find(kTokenSection);
  if (token == nullptr || realm.keys.token == TokenConfig()) return;
  if (has_next_key_in_realms_token(realm)) return check_token(realm, realm.keys.token, {}, *token, report);
  report.warning(*token, "found pkcs11 with key_store: file: no key is made there, it serves those that are there already");
}

void check_secret(const RealmConfig& realm, const Node& root, Report& report) {
  const auto& secret = realm.keys.secret;
  const Node& section = place_of(root, {kSecretSection});
  if (secret.threshold > secret.shares) {
    report.error(place_of(section, {"threshold", "shares"}), "found a threshold of " + std::to_string(secret.threshold) +
                                                                 ", expected at most the " + std::to_string(secret.shares) +
                                                                 " shares that there are");
  }
  if (!secret.has_shares() && !secret.set.empty())
    report.error(place_of(section, {"set"}), "found a set of shares with method: " + secret.method + ", expected method: shares");
}

/// Code that the server runs: whoever can change it has the realm's PIN, and signs what he likes.
void check_module(const std::string& module, const Node& section, Report& report) {
  const Node& at = place_of(section, {"module"});
  if (module.empty()) return report.error(at, "found no module, expected the vendor's PKCS #11 library");
  struct stat found {};
  if (!fs::path(module).is_absolute()) return report.error(at, "found \"" + module + "\", expected an absolute path");
  if (::stat(module.c_str(), &found) != 0 || !S_ISREG(found.st_mode))
    return report.error(at, "found no such file: " + module + ", expected the vendor's PKCS #11 library");
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return report.error(at, "found mode " + base::octal(found.st_mode & 07777U) +
                                ", expected that its owner alone can write it (chmod go-w " + module + ")");
  }
  if (found.st_uid != 0 && found.st_uid != ::geteuid()) {
    report.error(at, "found owner uid " + std::to_string(found.st_uid) + ", expected root: the signer runs what is in it (" +
                         module + ")");
  }
}

/// Passphrases of a realm whose first key is in a token are of others in files.
void check_passphrases(const RealmConfig& realm, const Node& root, Report& report) {
  const Node& place =
      place_of(root, {"key_unencrypted", "passphrase_credential", "passphrase_file", kCasSection, kRolloverSection});
  const std::array ways{KeyWay{"passphrase_file", !realm.passphrase_file.empty()},
                        KeyWay{"passphrase_credential", !realm.passphrase_credential.empty()},
                        KeyWay{"key_unencrypted: true", realm.key_unencrypted}};
  check_key_ways(ways, place, "protection of the keys of further CAs and generations that are in files", report);
  check_passphrase_file(realm, root, report);
}

/// Whether a further CA or generation has its key in a file already: no setting has to say so any more.
bool has_key_file(const RealmConfig& realm) {
  std::error_code failure;
  for (fs::directory_iterator it(realm.ca_directory(), failure), end; !failure && it != end; it.increment(failure)) {
    std::error_code ignored;
    if (fs::exists(it->path() / "ca.key", ignored)) return true;
  }
  return false;
}

/// A key in a token has no passphrase, and no file.
void check_no_passphrase(const RealmConfig& realm, const Node& root, Report& report) {
  for (const auto& [name, used] : {KeyWay{"passphrase_file", !realm.passphrase_file.empty()},
                                   KeyWay{"passphrase_credential", !realm.passphrase_credential.empty()},
                                   KeyWay{"key_unencrypted", realm.key_unencrypted}}) {
    if (used)
      report.error(place_of(root, {name}),
                   "found " + std::string(name) + " with key_store: pkcs11, expected none: the key is in the token");
  }
}

}  // namespace

void check_key_ways(std::span<const KeyWay> ways, const Node& place, const std::string& what, Report& report) {
  std::vector<std::string> used;
  std::vector<std::string> all;
  for (const auto& way : ways) {
    all.emplace_back(way.name);
    if (way.used) used.emplace_back(way.name);
  }
  const auto last = all.back();
  all.pop_back();
  if (used.empty() && !report.has_reported(place))
    report.error(place, "found no " + what + ", expected " + base::join(all, ", ") + " or " + last);
  if (used.size() > 1) report.error(place, "found more than one of " + base::join(all, ", ") + " and " + last + ", expected one");
}

void check_token(const RealmConfig& realm, const TokenConfig& token, TokenUse use, const Node& section, Report& report) {
  check_module(token.module, section, report);
  if (token.token.empty() && token.serial.empty())
    report.error(place_of(section, {"token", "serial"}), "found neither token nor serial, expected one that says which token");
  if (use.of_first_key && token.key_label.empty() && token.key_id.empty())
    report.error(place_of(section, {"key_label", "key_id"}),
                 "found neither key_label nor key_id, expected one that says which key");
  std::vector<KeyWay> ways{{"pin_file", !token.pin_file.empty()}, {"pin_credential", !token.pin_credential.empty()}};
  if (use.of_first_key) ways.push_back({"secret", use.by_people});
  check_key_ways(ways, place_of(section, {"pin_credential", "pin_file"}), "PIN", report);
  if (!token.pin_file.empty()) check_secret_file(token.pin_file, {realm.directory}, place_of(section, {"pin_file"}), report);
  for (const auto& path : token.paths) {
    std::error_code ignored;
    if (!fs::path(path).is_absolute())
      report.error(place_of(section, {"paths"}), "found \"" + path + "\", expected an absolute path");
    if (fs::path(path).is_absolute() && !fs::exists(path, ignored))
      report.warning(place_of(section, {"paths"}),
                     "found nothing at " + path + ": the module will not see what comes there later");
  }
}

void check_keys(const RealmConfig& realm, const Node& root, Report& report) {
  check_secret(realm, root, report);
  if (realm.keys.in_token()) {
    if (has_next_key_in_file(realm)) {
      check_passphrases(realm, root, report);
    } else if (!has_key_file(realm)) {
      check_no_passphrase(realm, root, report);
    }
    const Node& section = place_of(root, {kTokenSection, "key_store"});
    check_token(realm, realm.keys.token, {true, realm.keys.secret.from_people()}, section, report);
  } else {
    check_file_ways(realm, root, report);
  }
  check_next_keys(realm, root, report);
}

}  // namespace chancery::config
