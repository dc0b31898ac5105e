#pragma once

#include <functional>
#include <mutex>

#include "server/signer/messages.h"
#include "server/signer/secret_box.h"
#include "server/signer/signing_key.h"

namespace chancery::signer {

/// Opens a realm's key with what people enter, and closes it: the one place that gives a key its secret. The secret proves itself
/// by opening the key.
class Unlocking {
 public:
  /// @param record  puts an event into the journal
  using Record = std::function<Status(const AuditEvent&)>;
  Unlocking(std::string realm, const config::KeysConfig& config, SigningKey& key, Record record)
      : box_(std::move(realm), config.secret), store_(config.store), key_(key), record_(std::move(record)) {}

  /// @return how it stands now. @errors those of SecretBox::enter and SigningKey::unlock; Conflict: the key is open; Io.
  Result<SecretStatus> enter(const SecretEntry& entry, Seconds now);
  SecretStatus status() const;
  /// Forgets what was entered, and locks the key. @errors Conflict: no secret is asked for.
  Result<SecretStatus> clear();

 private:
  Status open(const SecretBytes& secret, const SecretEntry& entry, Seconds now);

  SecretBox box_;
  const std::string store_;
  SigningKey& key_;
  const Record record_;
  std::mutex mutex_;  ///< one opens at a time: it takes a second of a processor
};

}  // namespace chancery::signer
