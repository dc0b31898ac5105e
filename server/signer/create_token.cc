#include "server/signer/create_token.h"

#include "server/base/terminal.h"
#include "server/signer/ca_files.h"
#include "server/signer/token_key.h"

namespace chancery::signer {
namespace {

using wire::Json;

constexpr std::size_t kMaxPin = 256;

std::string quoted(const std::string& text) { return wire::to_text(Json(text)); }

/// For this once a PIN that people will enter later comes from the option's file, or from the terminal.
Result<SecretBytes> pin_of(const Creation& creation, const config::RealmConfig& realm) {
  if (!realm.keys.secret.from_people()) return read_pin(realm);
  if (!creation.pin_file.empty()) return read_passphrase_file(creation.pin_file);
  return base::ask_secret("PIN of the token: ", kMaxPin);
}

Result<Json> make_order(const base::KeySpec& spec) {
  using Kind = base::KeySpec::Kind;
  if (spec.kind == Kind::Ec) return Json::object({{"op", "make"}, {"ec_bits", spec.bits}, {"rsa_bits", 0}});
  if (spec.kind == Kind::Rsa) return Json::object({{"op", "make"}, {"ec_bits", 0}, {"rsa_bits", spec.bits}});
  return Error(Code::InvalidParams,
               "found " + base::to_text(spec) + " for a key in a token, expected ec:P-256, ec:P-384, ec:P-521 or rsa:BITS");
}

Status make_in_token(TokenProcess& process, const base::KeySpec& spec) {
  PKI_TRY(const auto order, make_order(spec));
  const auto made = process.call(order);
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
  PKI_TRY([[maybe_unused]] const auto order, make_order(spec));
  PKI_TRY(auto process, TokenProcess::start(realm.keys.token));
  PKI_TRY(const auto pin, pin_of(creation, realm));
  PKI_TRY_VOID(
      process.call(Json::object({{"op", "open"}, {"pin", base::as_text(pin.view())}, {"with_key", creation.existing_key}})));
  if (!creation.existing_key) PKI_TRY_VOID(make_in_token(process, spec));
  PKI_TRY(auto half, public_key_of(process));
  PKI_TRY_VOID(crypto::check_public_key(half));
  if (creation.key && half.spec() != *creation.key)
    return Error(Code::InvalidParams,
                 "the key in the token is " + base::to_text(half.spec()) + ", --key says " + base::to_text(*creation.key));
  auto key = std::make_unique<TokenKey>(std::move(half), realm);
  key->adopt(std::move(process));
  return std::unique_ptr<SigningKey>(std::move(key));
}

}  // namespace chancery::signer
