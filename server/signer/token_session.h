#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/base/key_spec.h"
#include "server/config/keys.h"
#include "server/crypto/key.h"
#include "server/signer/token_place.h"
#include "server/signer/token_process.h"

namespace chancery::signer {

/// The one session of a signer with a token, whichever and however many of the realm's keys are in it. One call at a time; who
/// would have to wait for one that has lasted a second is refused at once, so that a token that hangs takes one thread of the
/// signer and no more. A token that fails is away, and a key that is not in it, until the watch finds it back. A PIN that was
/// refused is not tried again, before somebody brings another one: tokens lock.
class TokenSession {
 public:
  /// One of the keys, and what is in its way.
  struct Key {
    KeyName name;
    crypto::PublicKey half;
    std::string obstacle{};  ///< under the session's mutex
  };

  explicit TokenSession(config::TokenConfig config);
  TokenSession(const TokenSession&) = delete;
  TokenSession& operator=(const TokenSession&) = delete;
  ~TokenSession();

  const config::TokenConfig& config() const { return config_; }
  std::string token_text() const;  ///< for people
  /// Of a key in it: with what the token says of itself, once it was open.
  TokenPlace place_of(KeyName key) const;

  /// A key that is used from here on, as long as somebody holds it. @param half  that the certificate says, or the token
  std::shared_ptr<Key> add(KeyName name, crypto::PublicKey half);
  bool has_keys() const;
  /// Why that key cannot sign now: the token's reason, else its own; empty: it can.
  std::string obstacle(const Key& key) const;
  /// @errors Unavailable: as obstacle; or the token is busy. BadKey: no token signs by that algorithm.
  Result<Bytes> sign(Key& key, crypto::SignatureAlgorithm algorithm, ByteView message);
  /// It has made a signature that does not verify.
  void distrust(Key& key, const Error& why);
  /// The token signs something that is no certificate: whatever fits label and id, only the key of that public half can.
  /// @errors BadConfig: it is another one; those of sign.
  Status prove(Key& key);

  /// Starts its process. Call while this process has one thread and may still fork. @errors Io.
  Status start();
  bool is_started() const { return process_.has_value(); }
  /// Logs in with the PIN of the configuration, where that says one; that it is not there, or locked, is an obstacle, no error.
  /// @errors those of the PIN's file.
  Status connect();
  /// With the PIN that somebody brings. @errors AuthFailed; Unavailable, Denied: the token's.
  Status log_in(const SecretBytes& pin);
  /// Ends the session and forgets the PIN, which people have given.
  void lock();
  /// From here on a thread sees to it. @pre start
  void watch();
  void stop_watching();
  /// After a reload, which may have mended what is in its way: the PIN's file may be another.
  void look_again();
  /// What is called, by the session's own thread, when a key of it can sign again. Set it before watch.
  void on_usable(std::function<void()> usable) { usable_ = std::move(usable); }
  /// What is called whenever an obstacle may have become another. Set it before there are threads.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  /// The ids of the private keys of that name. @errors Unavailable: the token is away or busy, or not started.
  Result<std::vector<std::string>> ids(const KeyName& name);
  /// @errors likewise; Exists; InvalidParams: a kind that tokens do not make here.
  Status make(const KeyName& name, const base::KeySpec& spec);
  /// The public key as the token has it. @errors likewise; BadKey.
  Result<crypto::PublicKey> public_key(const KeyName& name);

 private:
  using Clock = std::chrono::steady_clock;
  class Turn;

  // with the turn taken
  Result<wire::Json> call(wire::Json request);
  Result<wire::Json> ask(wire::Json request);
  Status open(const SecretBytes& pin);
  Status reopen();
  Status prove_all();
  Status prove_once(const Key& key);
  Result<Bytes> sign_once(const Key& key, crypto::SignatureAlgorithm algorithm, ByteView message);
  Status look_at_keys();

  Status check(const Key& key) const;
  std::vector<std::shared_ptr<Key>> keys() const;
  void set_away(const std::string& why);
  void set_obstacle(Key& key, const std::string& why);
  void change(std::string& obstacle, const std::string& why);
  void take_pin(SecretBytes pin);
  void run_watch();
  void round();
  bool is_quiet() const;
  void tell_usable();

  const config::TokenConfig config_;
  std::optional<TokenProcess> process_;  ///< used by whoever has the turn
  std::function<void()> changed_;
  std::function<void()> usable_;

  mutable std::mutex mutex_;  ///< of all below
  std::condition_variable turns_;
  bool busy_ = false;
  Clock::time_point busy_since_{};
  Clock::time_point last_answer_{};
  std::string serial_;  ///< that the token has said
  std::string away_;    ///< why the token cannot be used; empty: it can
  std::vector<std::weak_ptr<Key>> keys_;
  bool mended_ = false;  ///< something that was in the way is not any more
  SecretBytes pin_;
  std::string refused_;  ///< fingerprint of the PIN that the token refused; empty: none
  bool stopping_ = false;
  bool look_now_ = false;
  int rounds_ = 0;  ///< of the watch's thread alone
  std::thread watch_;
};

/// The PIN of pin_file or pin_credential. @errors as read_passphrase_file; Unavailable: people have it.
Result<SecretBytes> read_pin(const config::TokenConfig& token);

}  // namespace chancery::signer
