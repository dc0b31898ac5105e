#include "server/signer/signing_key.h"

#include "server/base/log.h"
#include "server/base/ready_words.h"
#include "server/signer/ca_files.h"
#include "server/signer/token_key.h"
#include "server/signer/tokens.h"
#include "server/x509/csr.h"

namespace chancery::signer {
namespace {

constexpr const char* kRetired = "the CA's key is retired, and signs nothing any more";
const std::string kLocked = std::string(base::kLockedWord) + "the passphrase of the CA's key has to be entered";

}  // namespace

Result<Bytes> SigningKey::sign(crypto::SignatureAlgorithm algorithm, ByteView message) {
  PKI_TRY(auto signature, make_signature(algorithm, message));
  const auto verified = public_.verify(algorithm, message, signature);
  if (verified.ok()) return signature;
  base::log_error("a signature of the CA's key does not verify, and goes nowhere: " + verified.error().message());
  distrust(verified.error());
  return Error(Code::Unavailable, "the CA's key has made a signature that does not verify, and that goes nowhere");
}

Error SigningKey::retired_error() { return {Code::Conflict, kRetired}; }

Status SigningKey::check_usable() const {
  const auto why = obstacle();
  if (why.empty()) return {};
  return Error(Code::Unavailable, "the CA's key cannot be used: " + why,
               "secret.status says what is missing, chancery realm unlock enters it");
}

FileKey::FileKey(std::shared_ptr<const crypto::PrivateKey> key, base::Path file)
    : SigningKey(key->public_key()), file_(std::move(file)), is_peoples_(!file_.empty()), key_(std::move(key)) {}

FileKey::FileKey(crypto::PublicKey half, base::Path file)
    : SigningKey(std::move(half)), file_(std::move(file)), is_peoples_(true) {}

std::shared_ptr<const crypto::PrivateKey> FileKey::key() const {
  const std::lock_guard lock(mutex_);
  return key_;
}

bool FileKey::is_retired() const {
  const std::lock_guard lock(mutex_);
  return retired_;
}

std::string FileKey::obstacle() const { return key() == nullptr && !is_retired() ? kLocked : std::string(); }

Status FileKey::unlock(const SecretBytes& secret) {
  if (is_retired()) return retired_error();
  PKI_TRY(auto key, open_ca_key(file_, &secret));
  if (!(key.public_key() == public_key()))
    return Error(Code::BadConfig, file_.string() + " is another key than the CA's certificate has",
                 "bring the pair back from one backup");
  {
    const std::lock_guard lock(mutex_);
    key_ = std::make_shared<const crypto::PrivateKey>(std::move(key));
  }
  changed();
  return {};
}

void FileKey::lock() {
  {
    const std::lock_guard lock(mutex_);
    key_.reset();  // whoever signs just now holds the last reference, and wipes it
  }
  changed();
}

void FileKey::retire() {
  {
    const std::lock_guard lock(mutex_);
    retired_ = true;
    key_.reset();
  }
  changed();
}

Result<Bytes> FileKey::make_signature(crypto::SignatureAlgorithm algorithm, ByteView message) {
  const auto open = key();
  if (open == nullptr && is_retired()) return retired_error();
  if (open == nullptr) return check_usable().error();
  return open->sign(algorithm, message);
}

Result<crypto::PublicKey> public_half(const config::RealmConfig& realm) {
  PKI_TRY(const auto chain, read_chain(realm));
  if (chain) {
    PKI_TRY(const auto authority, realm::parse_authority(*chain, realm));
    return authority.certificate.public_key();
  }
  PKI_TRY(const auto pem, base::read_file(request_file(realm), kMaxChainBytes));
  PKI_TRY(const auto csr, x509::Csr::from_pem(pem));
  return csr.public_key();
}

Result<std::unique_ptr<SigningKey>> open_key(const config::RealmConfig& realm, const Tokens& tokens) {
  if (realm.keys.in_token()) {
    PKI_TRY(auto half, public_half(realm));
    const auto& token = realm.keys.token;
    auto session = tokens.find(token);
    PKI_CHECK(session != nullptr);  // it is the first of those that the realm describes
    return std::unique_ptr<SigningKey>(
        std::make_unique<TokenKey>(std::move(session), KeyName{token.key_label, token.key_id}, std::move(half)));
  }
  if (!realm.keys.secret.from_people()) {
    PKI_TRY(auto key, read_ca_key(realm));
    return std::unique_ptr<SigningKey>(std::make_unique<FileKey>(std::make_shared<const crypto::PrivateKey>(std::move(key))));
  }
  PKI_TRY(auto half, public_half(realm));
  return std::unique_ptr<SigningKey>(std::make_unique<FileKey>(std::move(half), realm.ca_key_file()));
}

}  // namespace chancery::signer
