#include "server/config/key_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "server/base/text.h"
#include "server/config/checks.h"
#include "server/config/key_settings.h"
#include "server/config/load.h"

namespace chancery::config {
namespace {

namespace fs = std::filesystem;

/// One way of opening the key.
struct Way {
  std::string_view name;
  bool used;
};

/// Exactly one of the ways that fit where the key is, and none of the others.
void check_ways(std::span<const Way> ways, const Node& place, const std::string& what, Report& report) {
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

void check_file_ways(const RealmConfig& realm, const Node& root, Report& report) {
  const Node& place = place_of(root, {"key_unencrypted", "passphrase_credential", "passphrase_file", kSecretSection});
  const std::array ways{Way{"passphrase_file", !realm.passphrase_file.empty()},
                        Way{"passphrase_credential", !realm.passphrase_credential.empty()},
                        Way{"secret", realm.keys.secret.from_people()}, Way{"key_unencrypted: true", realm.key_unencrypted}};
  check_ways(ways, place, "protection of ca.key", report);
  if (!realm.passphrase_file.empty())
    check_secret_file(realm.passphrase_file, {realm.directory}, place_of(root, {"passphrase_file"}), report);
  if (const Node* token = root.find(kTokenSection); token != nullptr && !(realm.keys.token == TokenConfig()))
    report.warning(*token, "found pkcs11 with key_store: file: it is not used");
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
void check_module(const RealmConfig& realm, const Node& section, Report& report) {
  const auto& module = realm.keys.token.module;
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

void check_token(const RealmConfig& realm, const Node& root, Report& report) {
  const auto& token = realm.keys.token;
  const Node& section = place_of(root, {kTokenSection, "key_store"});
  check_module(realm, section, report);
  if (token.token.empty() && token.serial.empty())
    report.error(place_of(section, {"token", "serial"}), "found neither token nor serial, expected one that says which token");
  if (token.key_label.empty() && token.key_id.empty())
    report.error(place_of(section, {"key_label", "key_id"}),
                 "found neither key_label nor key_id, expected one that says which key");
  const std::array ways{Way{"pin_file", !token.pin_file.empty()}, Way{"pin_credential", !token.pin_credential.empty()},
                        Way{"secret", realm.keys.secret.from_people()}};
  check_ways(ways, place_of(section, {"pin_credential", "pin_file"}), "PIN", report);
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

/// A key in a token has no passphrase, and no file.
void check_no_passphrase(const RealmConfig& realm, const Node& root, Report& report) {
  for (const auto& [name, used] :
       {Way{"passphrase_file", !realm.passphrase_file.empty()},
        Way{"passphrase_credential", !realm.passphrase_credential.empty()}, Way{"key_unencrypted", realm.key_unencrypted}}) {
    if (used)
      report.error(place_of(root, {name}),
                   "found " + std::string(name) + " with key_store: pkcs11, expected none: the key is in the token");
  }
}

}  // namespace

void check_keys(const RealmConfig& realm, const Node& root, Report& report) {
  check_secret(realm, root, report);
  if (!realm.keys.in_token()) return check_file_ways(realm, root, report);
  check_no_passphrase(realm, root, report);
  check_token(realm, root, report);
}

}  // namespace chancery::config
