#include "server/signer/create_token.h"

#include "server/base/terminal.h"
#include "server/signer/ca_files.h"
#include "server/signer/token_key.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxPin = 256;

std::string quoted(const std::string& text) { return wire::to_text(wire::Json(text)); }

/// For this once a PIN that people will enter later comes from the option's file, or from the terminal.
Result<SecretBytes> pin_of(const Creation& creation, const config::RealmConfig& realm) {
  if (!realm.keys.secret.from_people()) return read_pin(realm.keys.token);
  if (!creation.pin_file.empty()) return read_passphrase_file(creation.pin_file);
  return base::ask_secret("PIN of the token: ", kMaxPin);
}

Status make_in_token(TokenSession& session, const KeyName& name, const base::KeySpec& spec) {
  const auto made = session.make(name, spec);
  if (made.ok()) return {};
  const bool there = made.error().code() == Code::Exists;
  return Error(made.error().code(), made.error().message(),
               there ? "--existing-key takes it for this CA; another --key-label makes another one" : made.error().hint());
}

}  // namespace

Status check_token_options(const Creation& creation) {
  const bool some = !creation.token.empty() || !creation.key_label.empty() || !creation.token_path.empty();
  if (creation.module.empty() && some)
    return Error(Code::InvalidParams, "found options for a token without --pkcs11-module, expected the vendor's library");
  if (creation.module.empty()) return {};
  if (creation.token.empty() || creation.pin_file.empty())
    return Error(Code::InvalidParams, "found --pkcs11-module without --token and --pin-file, expected all three");
  const bool file = creation.unencrypted || creation.prompt || creation.shares != 0 || !creation.credential.empty() ||
                    !creation.passphrase_file.empty() || !creation.secret_file.empty() || !creation.import_key.empty();
  if (!file) return {};
  return Error(Code::InvalidParams, "found --pkcs11-module beside options for a key in a file, expected one of them",
               "for a PIN that people enter, write ca.config.yml first (doc/keys.md)");
}

std::string token_lines(const Creation& creation) {
  if (creation.module.empty()) return {};
  std::string text = "key_store: pkcs11\npkcs11:\n  module: " + quoted(creation.module) + "\n  token: " + quoted(creation.token) +
                     "\n  key_label: " + quoted(creation.key_label.empty() ? creation.realm : creation.key_label) +
                     "\n  pin_file: " + quoted(std::filesystem::absolute(creation.pin_file).string()) + "\n";
  if (!creation.token_path.empty()) text += "  paths: [" + quoted(creation.token_path) + "]\n";
  return text;
}

Result<std::unique_ptr<SigningKey>> make_token_key(const Creation& creation, const config::RealmConfig& realm) {
  const auto spec = creation.key.value_or(realm.key);
  const auto& token = realm.keys.token;
  const KeyName name{token.key_label, token.key_id};
  const auto session = std::make_shared<TokenSession>(token);
  PKI_TRY_VOID(session->start());
  PKI_TRY(const auto pin, pin_of(creation, realm));
  PKI_TRY_VOID(session->log_in(pin));
  if (!creation.existing_key) PKI_TRY_VOID(make_in_token(*session, name, spec));
  PKI_TRY(auto half, session->public_key(name));
  PKI_TRY_VOID(crypto::check_public_key(half));
  if (creation.key && half.spec() != *creation.key)
    return Error(Code::InvalidParams,
                 "the key in the token is " + base::to_text(half.spec()) + ", --key says " + base::to_text(*creation.key));
  auto key = std::make_unique<TokenKey>(session, name, std::move(half));
  PKI_TRY_VOID(key->prove());
  return std::unique_ptr<SigningKey>(std::move(key));
}

}  // namespace chancery::signer
