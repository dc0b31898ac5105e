#pragma once

#include <memory>
#include <mutex>

#include "server/signer/signing_key.h"
#include "server/signer/token_session.h"

namespace chancery::signer {

/// A key in a PKCS #11 token, by the session that all of the realm's keys in that token share.
class TokenKey : public SigningKey {
 public:
  TokenKey(std::shared_ptr<TokenSession> session, KeyName name, crypto::PublicKey half);

  std::string obstacle() const override;
  /// Opens the token. @errors also: what is wrong with this key in it.
  Status unlock(const SecretBytes& secret) override;
  void lock() override;
  bool is_opened_by_people() const override;
  void retire() override;

  /// Has it sign something of no worth. @errors as TokenSession::prove.
  Status prove();

 protected:
  Result<Bytes> make_signature(crypto::SignatureAlgorithm algorithm, ByteView message) override;
  void distrust(const Error& why) override;

 private:
  std::shared_ptr<TokenSession::Key> key() const;

  const std::shared_ptr<TokenSession> session_;
  mutable std::mutex mutex_;  ///< of key_
  std::shared_ptr<TokenSession::Key> key_;
};

}  // namespace chancery::signer
