#include "server/config/key_settings.h"

#include <algorithm>
#include <array>

#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kMostAttempts = 100;
constexpr std::int64_t kLongestCall = 120;
constexpr std::size_t kSetDigits = 8;
constexpr std::size_t kMostIdDigits = 128;
constexpr std::size_t kMostLabel = 32;  // CK_TOKEN_INFO.label (PKCS #11 3.0, 3.2)
constexpr std::size_t kMostSerial = 16;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Status check_set(std::string_view text) {
  if (text.size() == kSetDigits && is_hex(text)) return {};
  return Error(Code::BadConfig, "found \"" + std::string(text) + "\", expected the id of a set of shares: 8 digits of 0-9 a-f");
}

Status check_id(std::string_view text) {
  if (text.size() <= kMostIdDigits && text.size() % 2 == 0 && is_hex(text)) return {};
  return Error(Code::BadConfig, "found \"" + std::string(text) + "\", expected a CKA_ID: pairs of 0-9 a-f, at most " +
                                    std::to_string(kMostIdDigits));
}

Status check_length(std::string_view text, std::size_t most) {
  if (text.size() <= most) return {};
  return Error(Code::BadConfig, "found " + std::to_string(text.size()) + " octets, expected at most the " + std::to_string(most) +
                                    " that a token has");
}
Status check_label(std::string_view text) { return check_length(text, kMostLabel); }
Status check_serial(std::string_view text) { return check_length(text, kMostSerial); }

constexpr std::array kKeys{
    row<&KeysConfig::store>({.name = "key_store",
                             .words = "file pkcs11",
                             .filled = true,
                             .when = When::Start,
                             .doc =
                                 "Where the CA's key is: file, ca.key in the realm's directory; pkcs11, a token that `pkcs11:` "
                                 "describes (doc/keys.md)."}),
};

constexpr std::array kSecret{
    row<&SecretConfig::method>({.name = "method",
                                .words = "none prompt shares",
                                .filled = true,
                                .when = When::Start,
                                .doc = "Who opens the key once the signer runs. none: a file or credential does. prompt: one "
                                       "operator types the passphrase (chancery realm unlock). shares: several operators give "
                                       "one share each."}),
    row<&SecretConfig::shares>({.name = "shares",
                                .least = 2,
                                .most = kMostShares,
                                .when = When::Start,
                                .doc = "How many shares of the passphrase there are."}),
    row<&SecretConfig::threshold>(
        {.name = "threshold", .least = 2, .most = kMostShares, .when = When::Start, .doc = "How many of them open the key."}),
    row<&SecretConfig::set>({.name = "set",
                             .check = check_set,
                             .when = When::Start,
                             .doc =
                                 "Id of the set that the shares are of, as chancery secret split says it: those of another set "
                                 "are refused. Empty: the first share that comes decides.",
                             .type = "hexadecimal"}),
    row<&SecretConfig::attempts>({.name = "attempts",
                                  .least = 1,
                                  .most = kMostAttempts,
                                  .when = When::Start,
                                  .doc = "Wrong shares or passphrases of one person in a row, after which that person waits."}),
    row<&SecretConfig::wait>({.name = "wait",
                              .unit = "s",
                              .least = 1,
                              .most = kHour,
                              .when = When::Start,
                              .doc = "For so long at first; each further wrong one doubles it, up to an hour."}),
};

constexpr std::array kToken{
    row<&TokenConfig::module>(
        {.name = "module", .when = When::Start, .doc = "The vendor's PKCS #11 library, an absolute path.", .type = "file"}),
    row<&TokenConfig::token>({.name = "token",
                              .check = check_label,
                              .when = When::Start,
                              .doc = "Label of the token. One of this and serial is enough."}),
    row<&TokenConfig::serial>(
        {.name = "serial", .check = check_serial, .when = When::Start, .doc = "Serial number of the token."}),
    row<&TokenConfig::key_label>(
        {.name = "key_label", .when = When::Start, .doc = "Label of the key (CKA_LABEL). One of this and key_id is enough."}),
    row<&TokenConfig::key_id>({.name = "key_id",
                               .check = check_id,
                               .when = When::Start,
                               .doc = "Id of the key (CKA_ID), in hexadecimal.",
                               .type = "hexadecimal"}),
    row<&TokenConfig::pin_file>({.name = "pin_file",
                                 .when = When::Start,
                                 .doc = "File with the user's PIN on its first line, mode 0600, relative to the realm."}),
    row<&TokenConfig::pin_credential>({.name = "pin_credential",
                                       .check = check_name,
                                       .when = When::Start,
                                       .doc = "The systemd credential that holds it, instead of a file.",
                                       .type = "name"}),
    row<&TokenConfig::paths>({.name = "paths",
                              .when = When::Start,
                              .doc = "Files and directories that the module reads and writes, like the directory of SoftHSM's "
                                     "tokens: it reaches nothing else but /etc, /usr and /lib to read.",
                              .type = "path"}),
    row<&TokenConfig::network>(
        {.name = "network",
         .when = When::Start,
         .doc = "Whether the module may use sockets: for tokens behind a daemon, or in a machine of their own."}),
    row<&TokenConfig::timeout>({.name = "timeout",
                                .unit = "s",
                                .least = 1,
                                .most = kLongestCall,
                                .when = When::Start,
                                .doc = "A call of the module that takes longer is given up, and the module with it."}),
};

/// Of a key that is made, or found, when its generation is prepared.
constexpr std::array kFurther{
    row<&TokenConfig::key_label>({.name = "key_label",
                                  .doc = "Label of the next generation's key (CKA_LABEL); {ca} stands for the generation, as "
                                         "each has a key of its own. Empty: the realm's name, a slash and the generation, "
                                         "like default/tls-1."}),
    row<&TokenConfig::key_id>({.name = "key_id",
                               .check = check_id,
                               .doc = "With existing_key: the id of that key (CKA_ID), in hexadecimal. Keys that are made here "
                                      "get ids of their own.",
                               .type = "hexadecimal"}),
    row<&TokenConfig::existing_key>({.name = "existing_key",
                                     .doc = "The key of that label is in the token already, and is taken over. false: it is made "
                                            "there, and none may have the label before."}),
};

std::vector<Setting<TokenConfig>> further_rows() {
  std::vector<Setting<TokenConfig>> rows;
  for (const auto& one : kToken) {
    const auto* const other = std::ranges::find(kFurther, one.info.name, [](const auto& further) { return further.info.name; });
    rows.push_back(other == kFurther.end() ? one : *other);
  }
  rows.push_back(kFurther.back());
  return rows;
}

template <class Owner>
void read_section(const Node& root, std::string_view name, std::span<const Setting<Owner>> rows, Owner& owner, Report& report) {
  const Node* section = root.find(name);
  if (section == nullptr || !is_section(*section, report)) return;
  check_names(*section, names_of(rows), report);
  read_settings(rows, *section, owner, report);
}

template <class Owner>
Node write_section(std::string_view name, std::span<const Setting<Owner>> rows, const Owner& owner) {
  Node section = map(std::string(name));
  write_settings(rows, owner, section);
  return section;
}

}  // namespace

std::span<const Setting<KeysConfig>> key_settings() { return kKeys; }
std::span<const Setting<SecretConfig>> secret_settings() { return kSecret; }
std::span<const Setting<TokenConfig>> token_settings() { return kToken; }
std::span<const Setting<TokenConfig>> further_token_settings() {
  static const auto kRows = further_rows();
  return kRows;
}

void read_further_token(const Node& parent, TokenConfig& token, Report& report) {
  read_section(parent, kTokenSection, further_token_settings(), token, report);
}

void write_further_token(const TokenConfig& token, Node& parent) {
  if (!(token == TokenConfig())) parent.children.push_back(write_section(kTokenSection, further_token_settings(), token));
}

std::vector<std::string> key_names() {
  auto names = names_of(key_settings());
  for (const auto section : {kSecretSection, kTokenSection}) names.emplace_back(section);
  return names;
}

void read_keys(const Node& root, KeysConfig& keys, Report& report) {
  read_settings(key_settings(), root, keys, report);
  read_section(root, kSecretSection, secret_settings(), keys.secret, report);
  read_section(root, kTokenSection, token_settings(), keys.token, report);
}

void write_keys(const KeysConfig& keys, Node& root) {
  write_settings(key_settings(), keys, root);
  root.children.push_back(write_section(kSecretSection, secret_settings(), keys.secret));
  root.children.push_back(write_section(kTokenSection, token_settings(), keys.token));
}

}  // namespace chancery::config
