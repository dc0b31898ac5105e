#include "server/signer/token_key.h"

namespace chancery::signer {

TokenKey::TokenKey(std::shared_ptr<TokenSession> session, KeyName name, crypto::PublicKey half)
    : SigningKey(half), session_(std::move(session)), key_(session_->add(std::move(name), std::move(half))) {}

std::shared_ptr<TokenSession::Key> TokenKey::key() const {
  const std::lock_guard lock(mutex_);
  return key_;
}

std::string TokenKey::obstacle() const {
  const auto own = key();
  return own == nullptr ? std::string() : session_->obstacle(*own);
}

Status TokenKey::unlock(const SecretBytes& secret) {
  const auto own = key();
  if (own == nullptr) return retired_error();
  PKI_TRY_VOID(session_->log_in(secret));
  const auto why = session_->obstacle(*own);
  return why.empty() ? Status() : Error(Code::Unavailable, why);
}

void TokenKey::lock() {
  if (is_opened_by_people()) session_->lock();
}

bool TokenKey::is_opened_by_people() const { return key() != nullptr && session_->config().from_people(); }

/// The others in its token go on.
void TokenKey::retire() {
  const std::lock_guard lock(mutex_);
  key_.reset();
}

Status TokenKey::prove() {
  const auto own = key();
  return own == nullptr ? Status(retired_error()) : session_->prove(*own);
}

Result<Bytes> TokenKey::make_signature(crypto::SignatureAlgorithm algorithm, ByteView message) {
  const auto own = key();
  if (own == nullptr) return retired_error();
  PKI_TRY_VOID(check_usable());
  auto signature = session_->sign(*own, algorithm, message);
  if (signature.ok()) return signature;
  const auto why = check_usable();  // the same, and what to do about it
  return why.ok() ? signature.error() : why.error();
}

void TokenKey::distrust(const Error& why) {
  if (const auto own = key(); own != nullptr) session_->distrust(*own, why);
}

}  // namespace chancery::signer
