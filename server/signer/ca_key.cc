#include <cstdlib>

#include "server/base/file.h"
#include "server/base/text.h"
#include "server/signer/issuer.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxPassphraseBytes = 4096;
constexpr std::size_t kMaxKeyBytes = 65536;
constexpr std::string_view kEncryptedLabel = "BEGIN ENCRYPTED PRIVATE KEY";

/// Where systemd puts credentials (systemd.exec(5), LoadCredential=).
Result<base::Path> credential_file(const std::string& name) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) return Error(Code::BadConfig, "credential \"" + name + "\" is wanted, and systemd gave none", "LoadCredential= in the unit");
  return base::Path(directory) / name;
}

/// The first line; the rest of the file, and a final line end, do not belong to it.
SecretBytes first_line(const SecretBytes& content) {
  const auto text = base::as_text(content.view());
  return SecretBytes(base::trim(text.substr(0, text.find('\n'))));
}

}  // namespace

Result<std::optional<SecretBytes>> read_passphrase(const config::RealmConfig& realm) {
  if (realm.key_unencrypted) return std::optional<SecretBytes>();
  base::Path path = realm.passphrase_file;
  if (!realm.passphrase_credential.empty()) {
    PKI_TRY(path, credential_file(realm.passphrase_credential));
  }
  if (path.empty()) {
    return Error(Code::BadConfig, "neither passphrase_file nor passphrase_credential is set", "key_unencrypted: true asks for a key without a passphrase");
  }
  PKI_TRY(const auto content, base::read_secret_file(path, kMaxPassphraseBytes));
  auto passphrase = first_line(content);
  if (passphrase.empty()) return Error(Code::BadConfig, path.string() + " is empty, expected a passphrase on its first line");
  return std::optional(std::move(passphrase));
}

Result<crypto::PrivateKey> read_ca_key(const config::RealmConfig& realm) {
  PKI_TRY(const auto passphrase, read_passphrase(realm));
  PKI_TRY(const auto pem, base::read_secret_file(realm.ca_key_file(), kMaxKeyBytes));
  const bool encrypted = base::as_text(pem.view()).find(kEncryptedLabel) != std::string_view::npos;
  if (!encrypted && passphrase) {
    return Error(Code::BadConfig, realm.ca_key_file().string() + " is not encrypted", "key_unencrypted: true if that is meant");
  }
  if (encrypted && !passphrase) return Error(Code::BadConfig, realm.ca_key_file().string() + " is encrypted, and key_unencrypted is set");
  auto key = crypto::PrivateKey::from_pem(pem.view(), passphrase ? &*passphrase : nullptr);
  return key.ok() ? std::move(key) : Result<crypto::PrivateKey>(key.error().within(realm.ca_key_file().string()));
}

}  // namespace chancery::signer
