#include "server/signer/ca_files.h"

#include <algorithm>
#include <cstdlib>

#include "server/base/file.h"
#include "server/base/text.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxPassphraseBytes = 1024;  ///< what OpenSSL takes (PEM_BUFSIZE)
constexpr std::string_view kEncryptedLabel = "BEGIN ENCRYPTED PRIVATE KEY";

bool has(const std::vector<std::string>& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

Status check_usable(const x509::Certificate& certificate, Seconds now) {
  const auto& usage = certificate.key_usage();
  for (const auto* needed : {"keyCertSign", "cRLSign"}) {
    // Older CAs have none, which rules nothing out: verifiers look at it where it is (RFC 5280 6.1.4 (n), 6.3.3 (f)).
    if (!usage.empty() && !has(usage, needed))
      return Error(Code::BadConfig,
                   "the CA certificate has no " + std::string(needed) + " in its key usage, expected it (RFC 5280 4.2.1.3)",
                   "have its issuer make it anew, for a CA");
  }
  if (now > certificate.not_after()) {
    return Error(Code::BadConfig, "the CA certificate expired " + base::to_rfc3339(certificate.not_after()),
                 "is this machine's clock right?");
  }
  if (now >= certificate.not_before()) return {};
  return Error(Code::BadConfig, "the CA certificate begins " + base::to_rfc3339(certificate.not_before()),
               "is this machine's clock right?");
}

}  // namespace

Result<base::Path> credential_file(const std::string& name) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr)
    return Error(Code::BadConfig, "credential \"" + name + "\" is wanted, and systemd gave none", "LoadCredential= in the unit");
  if (name.find('/') != std::string::npos) return Error(Code::BadConfig, "credential \"" + name + "\" has a slash in its name");
  return base::Path(directory) / name;
}

Result<SecretBytes> read_passphrase_file(const base::Path& path) {
  PKI_TRY(const auto content, base::read_secret_file(path, kMaxPassphraseBytes));
  const auto text = base::as_text(content.view());
  SecretBytes line(base::trim(text.substr(0, text.find('\n'))));
  if (line.empty()) return Error(Code::BadConfig, path.string() + " is empty, expected a passphrase on its first line");
  return line;
}

bool people_open_files(const config::RealmConfig& realm) { return realm.keys.secret.from_people() && !realm.keys.in_token(); }

Result<std::optional<SecretBytes>> read_passphrase(const config::RealmConfig& realm) {
  if (realm.key_unencrypted) return std::optional<SecretBytes>();
  if (people_open_files(realm))
    return Error(Code::Unavailable, "the passphrase comes from people, once the signer runs (secret.method)");
  base::Path path = realm.passphrase_file;
  if (!realm.passphrase_credential.empty()) {
    PKI_TRY(path, credential_file(realm.passphrase_credential));
  }
  if (path.empty()) {
    return Error(Code::BadConfig, "neither passphrase_file, passphrase_credential nor secret is set",
                 "key_unencrypted: true asks for a key without a passphrase");
  }
  PKI_TRY(auto passphrase, read_passphrase_file(path));
  return std::optional(std::move(passphrase));
}

Result<crypto::PrivateKey> open_ca_key(const base::Path& file, const SecretBytes* passphrase) {
  PKI_TRY(const auto pem, base::read_secret_file(file, kMaxKeyBytes));
  const bool encrypted = base::as_text(pem.view()).find(kEncryptedLabel) != std::string_view::npos;
  if (!encrypted && passphrase != nullptr)
    return Error(Code::BadConfig, file.string() + " is not encrypted", "key_unencrypted: true if that is meant");
  if (encrypted && passphrase == nullptr)
    return Error(Code::BadConfig, file.string() + " is encrypted, and key_unencrypted is set");
  auto key = crypto::PrivateKey::from_pem(pem.view(), passphrase);
  if (!key.ok()) return key.error().within(file.string());
  return key;
}

Result<crypto::PrivateKey> read_ca_key(const config::RealmConfig& realm) {
  PKI_TRY(const auto passphrase, read_passphrase(realm));
  return open_ca_key(realm.ca_key_file(), passphrase ? &*passphrase : nullptr);
}

Status write_ca_key(const config::RealmConfig& realm, const crypto::PrivateKey& key,
                    const std::optional<SecretBytes>& passphrase) {
  if (!passphrase) return base::replace_file(realm.ca_key_file(), key.to_pem().view(), 0600);
  PKI_TRY(const auto pem, key.to_encrypted_pem(*passphrase));
  return base::replace_file(realm.ca_key_file(), base::as_bytes(pem), 0600);
}

base::Path request_file(const config::RealmConfig& realm) { return realm.directory / "ca.csr"; }

Result<realm::Authority> accept_chain(std::string_view chain_pem, const config::RealmConfig& realm, const crypto::PublicKey& key,
                                      Seconds now) {
  PKI_TRY(const auto authority, realm::parse_authority(chain_pem, realm));
  if (!(authority.certificate.public_key() == key)) {
    return Error(Code::BadConfig, "the CA certificate is for another key than ca.key",
                 "the pair comes from one backup, or the certificate from this CA's request");
  }
  return parse_chain(chain_pem, realm, now);
}

Result<realm::Authority> parse_chain(std::string_view chain_pem, const config::RealmConfig& realm, Seconds now) {
  PKI_TRY(auto authority, realm::parse_authority(chain_pem, realm));
  PKI_TRY_VOID(check_usable(authority.certificate, now));
  for (const auto& one : authority.above) {
    if (!one.is_ca()) return Error(Code::BadConfig, one.subject().to_slash() + " stands above the CA in its chain and is no CA");
  }
  return authority;
}

Result<std::optional<std::string>> read_chain(const config::RealmConfig& realm) {
  auto text = base::read_file(realm.ca_certificate_file(), kMaxChainBytes);
  std::error_code ignored;
  if (!text.ok() && text.error().code() == Code::NotFound && std::filesystem::exists(request_file(realm), ignored))
    return std::optional<std::string>();
  if (!text.ok()) return text.error();
  return std::optional(std::move(text).value());
}

Result<std::shared_ptr<const realm::Authority>> read_authority(const config::RealmConfig& realm, const crypto::PublicKey& key,
                                                               Seconds now) {
  PKI_TRY(const auto text, read_chain(realm));
  if (!text) return std::shared_ptr<const realm::Authority>();
  auto authority = accept_chain(*text, realm, key, now);
  if (!authority.ok()) return authority.error().within(realm.ca_certificate_file().string());
  return std::make_shared<const realm::Authority>(std::move(authority).value());
}

Status write_chain(const config::RealmConfig& realm, const realm::Authority& authority) {
  std::string text;
  for (const auto& pem : realm::chain_pems(authority)) text += pem;
  return base::replace_file(realm.ca_certificate_file(), base::as_bytes(text), 0644);
}

Genesis journal_owner(const config::RealmConfig& realm, const crypto::PublicKey& key, Seconds now) {
  return Genesis{realm.name, key.spki_sha256_hex(), now};
}

}  // namespace chancery::signer
