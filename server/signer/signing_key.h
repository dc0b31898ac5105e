#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "server/base/file.h"
#include "server/config/realm_config.h"
#include "server/crypto/key.h"

namespace chancery::signer {

/// The private key of a CA, wherever it is. Functions may be called by several threads.
class SigningKey {
 public:
  explicit SigningKey(crypto::PublicKey half) : public_(std::move(half)) {}
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  virtual ~SigningKey() = default;

  /// Known while the key is locked, too: it is the certificate's.
  const crypto::PublicKey& public_key() const { return public_; }
  /// No signature leaves without having been verified with the public key, whoever made it (PROMISES F23).
  /// @errors Unavailable: the key cannot be used now; or what it made does not verify; BadKey: the algorithm is not one of
  /// it.
  Result<Bytes> sign(crypto::SignatureAlgorithm algorithm, ByteView message);

  /// Why it cannot sign now; empty: it can. What people have to mend begins with "locked: ".
  virtual std::string obstacle() const = 0;
  /// @param secret  the passphrase, or the token's PIN. @errors AuthFailed: it does not open the key; BadConfig: that is another
  /// key than the certificate's; NotFound, Unavailable, Denied, Io.
  virtual Status unlock(const SecretBytes& secret) = 0;
  /// Forgets what opens it, and the key.
  virtual void lock() = 0;
  /// Whether unlock and lock are for it: no file or credential opens it.
  virtual bool is_opened_by_people() const = 0;
  /// Its generation is retired: it signs nothing any more, nobody is asked to open it, and it need not be there.
  virtual void retire() { lock(); }

  /// @errors Unavailable: says the obstacle.
  Status check_usable() const;

  /// What is called, by whichever thread, whenever the obstacle may have become another. Set it before there are threads.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

 protected:
  void changed() const {
    if (changed_) changed_();
  }
  virtual Result<Bytes> make_signature(crypto::SignatureAlgorithm algorithm, ByteView message) = 0;
  /// It has made a signature that does not verify.
  virtual void distrust(const Error& /*why*/) {}
  static Error retired_error();

 private:
  crypto::PublicKey public_;
  std::function<void()> changed_;
};

/// A key in a file: in this process's memory once it is open.
class FileKey : public SigningKey {
 public:
  /// An open one that need not be in a file yet. @param file  from which people can open it again, once it was locked; empty:
  /// they do not
  explicit FileKey(std::shared_ptr<const crypto::PrivateKey> key, base::Path file = {});
  /// A locked one. @param half  as the certificate has it
  FileKey(crypto::PublicKey half, base::Path file);

  std::string obstacle() const override;
  Status unlock(const SecretBytes& secret) override;
  void lock() override;
  bool is_opened_by_people() const override { return is_peoples_ && !is_retired(); }
  void retire() override;

 protected:
  Result<Bytes> make_signature(crypto::SignatureAlgorithm algorithm, ByteView message) override;

 private:
  std::shared_ptr<const crypto::PrivateKey> key() const;
  bool is_retired() const;

  base::Path file_;
  bool is_peoples_;
  mutable std::mutex mutex_;  ///< of key_ and retired_
  bool retired_ = false;
  std::shared_ptr<const crypto::PrivateKey> key_;
};

class Tokens;

/// The realm's key as its configuration says: open, where a file or credential opens it; locked, where people do. One in a token
/// is not asked for before that is connected.
/// @errors those of read_ca_key; NotFound: neither a certificate nor a request says which key it is.
Result<std::unique_ptr<SigningKey>> open_key(const config::RealmConfig& realm, const Tokens& tokens);

/// The public key of ca.crt, or of ca.csr while the CA waits. @errors NotFound, Malformed, Io, TooLarge.
Result<crypto::PublicKey> public_half(const config::RealmConfig& realm);

}  // namespace chancery::signer
