#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "server/signer/signing_key.h"
#include "server/signer/token_process.h"

namespace chancery::signer {

/// A key in a PKCS #11 token. One call at a time; who would have to wait for one that has lasted a second is refused at once, so
/// that a token that hangs takes one thread of the signer and no more. A token that fails is away, until the watch finds it back.
/// A PIN that was refused is not tried again, before somebody brings another one: tokens lock.
class TokenKey : public SigningKey {
 public:
  TokenKey(crypto::PublicKey half, const config::RealmConfig& realm);
  ~TokenKey() override;

  std::string obstacle() const override;
  Status unlock(const SecretBytes& secret) override;
  void lock() override;
  Status connect() override;
  void watch() override;
  void stop_watching() override;
  void look_again() override;

  /// Takes a process that is connected and logged in already, of a realm that is being made.
  void adopt(TokenProcess process);

 protected:
  Result<Bytes> make_signature(crypto::SignatureAlgorithm algorithm, ByteView message) override;
  void distrust(const Error& why) override;

 private:
  using Clock = std::chrono::steady_clock;
  class Turn;

  Result<Bytes> sign_once(crypto::SignatureAlgorithm algorithm, ByteView message);
  Status open(const SecretBytes& pin);
  Status reopen();
  Status prove();
  void set_obstacle(const std::string& why);
  void take_pin(SecretBytes pin);
  void run_watch();
  void round();

  const std::string name_;
  const config::KeysConfig config_;
  std::optional<TokenProcess> process_;  ///< used by whoever has the turn

  mutable std::mutex mutex_;  ///< of all below
  std::condition_variable changed_;
  bool busy_ = false;
  Clock::time_point busy_since_{};
  Clock::time_point last_answer_{};
  std::string obstacle_;
  SecretBytes pin_;
  std::string refused_;  ///< fingerprint of the PIN that the token refused; empty: none
  bool stopping_ = false;
  bool look_now_ = false;
  std::thread watch_;
};

/// The public key as the token has it. @pre the process is open, with the key found. @errors those of the call; BadKey.
Result<crypto::PublicKey> public_key_of(TokenProcess& process);

/// The PIN of pin_file or pin_credential. @errors as read_passphrase_file; Unavailable: people have it.
Result<SecretBytes> read_pin(const config::RealmConfig& realm);

}  // namespace chancery::signer
