#pragma once

#include <chrono>
#include <string>
#include <vector>

/// Where a realm's CA key is, and where what opens it comes from: pure values.
namespace chancery::config {

inline constexpr int kMostShares = 255;  ///< one octet names a share; 0 would be the secret itself

/// `secret:` of ca.config.yml: the passphrase, or the token's PIN, comes from people once the signer runs.
struct SecretConfig {
  std::string method = "none";  ///< none, prompt (one person types it) or shares (several give one share each)
  int shares = 5;               ///< that there are
  int threshold = 3;            ///< that it takes
  std::string set;              ///< id of the set, eight hexadecimal digits; empty: the first share decides
  int attempts = 5;             ///< wrong ones of one person in a row, before there is a wait
  std::chrono::seconds wait{30};

  bool from_people() const { return method != "none"; }
  bool has_shares() const { return method == "shares"; }
  bool operator==(const SecretConfig&) const = default;
};

/// `pkcs11:` of ca.config.yml: a token that holds the key. Below `cas:` and `rollover:` it may leave out which token: then it is
/// the realm's.
struct TokenConfig {
  std::string module;               ///< the vendor's library
  std::string token;                ///< label of the token
  std::string serial;               ///< or its serial number
  std::string key_label;            ///< CKA_LABEL of the key
  std::string key_id;               ///< CKA_ID, hexadecimal
  std::string pin_file;             ///< mode 0600
  std::string pin_credential;       ///< systemd credential
  std::vector<std::string> paths;   ///< what else the module may read and write
  bool network = false;             ///< the module speaks to a daemon or a machine
  std::chrono::seconds timeout{5};  ///< of one call
  bool existing_key = false;        ///< below `cas:` and `rollover:`: the key is not made, but there already

  /// Whether it says which token, or at least begins to.
  bool is_named() const { return !module.empty() || !token.empty() || !serial.empty(); }
  /// Without a PIN of its own it is opened by people.
  bool from_people() const { return pin_file.empty() && pin_credential.empty(); }
  bool operator==(const TokenConfig&) const = default;
};

struct KeysConfig {
  std::string store = "file";  ///< file or pkcs11
  SecretConfig secret;
  TokenConfig token;

  bool in_token() const { return store == "pkcs11"; }
  bool operator==(const KeysConfig&) const = default;
};

}  // namespace chancery::config
