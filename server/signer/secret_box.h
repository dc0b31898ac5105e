#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/config/keys.h"
#include "server/crypto/shares.h"
#include "server/signer/messages.h"

namespace chancery::signer {

/// What people have entered of a realm's secret so far: shares, in locked memory that no dump shows, until there are enough; and
/// who has been wrong how often. It knows nothing of the key: whether a secret is the right one is said to it.
class SecretBox {
 public:
  using Clock = std::chrono::steady_clock;

  SecretBox(std::string realm, config::SecretConfig config) : realm_(std::move(realm)), config_(std::move(config)) {}

  /// One share, or the passphrase. @param by  who gives it
  /// @return the secret, when this makes it whole; then settle has to say what became of it.
  /// @errors Conflict: no secret is asked for; this share, or one by the same person, is in already; InvalidParams: a share of
  /// another realm, set or threshold; Malformed: no share, a typing error; Busy: too many wrong ones, says how long to wait.
  Result<std::optional<SecretBytes>> enter(const SecretBytes& text, const std::string& by, Seconds now, Clock::time_point at);
  /// Whether the secret opened the key. In any case the shares are forgotten; when it did not, whoever gave the last one, or the
  /// passphrase, counts as wrong. @return who had given what.
  std::vector<SecretGiven> settle(bool opened, const std::string& by, Clock::time_point at);
  void clear();
  std::vector<SecretGiven> given() const;
  const config::SecretConfig& config() const { return config_; }
  /// The set that shares must be of; empty: any.
  std::string set() const;

 private:
  struct Wrong {
    int count = 0;
    Clock::time_point until{};
  };
  struct Held {
    SecretGiven given;
    crypto::Share share;
  };

  Status check_patience(const std::string& by, Clock::time_point at);
  void count_wrong(const std::string& by, Clock::time_point at);
  Status check_fits(const crypto::Share& share, const std::string& by) const;
  Result<std::optional<SecretBytes>> add(crypto::Share share, const std::string& by, Seconds now);
  std::vector<SecretGiven> given_now() const;

  const std::string realm_;
  const config::SecretConfig config_;
  mutable std::mutex mutex_;  ///< of all below
  std::vector<Held> held_;
  std::map<std::string, Wrong> wrong_;
};

}  // namespace chancery::signer
