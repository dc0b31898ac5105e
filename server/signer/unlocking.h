#pragma once

#include <functional>
#include <mutex>

#include "server/config/keys.h"
#include "server/signer/messages.h"
#include "server/signer/secret_box.h"

namespace chancery::signer {

/// The keys that one secret opens: those of all CAs and generations of a realm.
struct Locks {
  std::function<std::string()> obstacle;             ///< of the one that the realm cannot do without, as SigningKey::obstacle
  std::function<Status(const SecretBytes&)> unlock;  ///< @errors as SigningKey::unlock, of that one
  std::function<void()> lock;
};

/// Opens a realm's keys with what people enter, and closes them: the one place that gives keys their secret. The secret proves
/// itself by opening the key.
class Unlocking {
 public:
  /// @param record  puts an event into the journal
  using Record = std::function<Status(const AuditEvent&)>;
  Unlocking(std::string realm, const config::KeysConfig& config, Locks keys, Record record)
      : box_(std::move(realm), config.secret), store_(config.store), keys_(std::move(keys)), record_(std::move(record)) {}

  /// @return how it stands now. @errors those of SecretBox::enter and SigningKey::unlock; Conflict: the key is open; Io.
  Result<SecretStatus> enter(const SecretEntry& entry, Seconds now);
  SecretStatus status() const;
  /// Forgets what was entered, and locks the key. @errors Conflict: no secret is asked for.
  Result<SecretStatus> clear();

 private:
  Status open(const SecretBytes& secret, const SecretEntry& entry, Seconds now);

  SecretBox box_;
  const std::string store_;
  const Locks keys_;
  const Record record_;
  std::mutex mutex_;  ///< one opens at a time: it takes a second of a processor
};

}  // namespace chancery::signer
