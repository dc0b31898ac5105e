#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/names.h"
#include "server/wire/json.h"

namespace chancery::signer {

/// What is to be signed, and why. Written durably before the key is used.
struct Intent {
  Serial serial;
  std::string profile;
  std::string digest;  ///< of the request, hex: the same idempotency key must mean the same request
  Bytes tbs;
  std::string spki_sha256;
  std::string requester;
  std::string front_end;
  std::string rule;
  std::string evidence;
  std::string idempotency_key;
  Seconds at{};
};

/// An intent and its signature, if it has one.
struct Entry {
  std::uint64_t position = 0;  ///< of the signature's record, or of the intent's while there is none
  Intent intent;
  std::optional<Bytes> signature;
};

/// The write-ahead record of issuing (DESIGN 1): append-only and hash-chained, at most one TBS per serial for ever.
///
/// File "journal.log": records of a four-octet big-endian length, 32 octets SHA-256 over the hash before and the body, and the
/// body, a JSON object. Functions may be called by several threads; many appends share one fdatasync.
class Journal {
 public:
  /// Opens or makes the journal of a realm; a record that a crash cut off at the end was promised to nobody and is cut away.
  /// @errors Busy: another signer has it; Corrupt: a record does not follow from the one before, the message names the offset;
  /// BadConfig: it is another realm's; Io.
  static Result<std::unique_ptr<Journal>> open(const base::Path& directory, const RealmName& realm);
  Journal(base::UniqueFd file);
  ~Journal();

  /// Makes the intent durable, or finds the one that stands for it already: the same serial with the same TBS, or the same
  /// idempotency key with the same digest.
  /// @errors Exists: another TBS under that serial (C5); Conflict: another request under that idempotency key.
  Result<Entry> begin(const Intent& intent);
  /// Makes the signature durable, or finds the one that is there: the first one stands.
  Result<Bytes> finish(const Serial& serial, const Bytes& signature);
  /// Claims a CRL number durably, before the CRL is signed. @errors Conflict: not above the last one, or this_update below it (C8).
  Status begin_crl(std::uint64_t number, Seconds this_update, std::string_view digest);

  std::uint64_t last_crl_number() const;
  /// Whether the journal holds a certificate of that serial with that key.
  bool has_key_of(const Serial& serial, std::string_view spki_sha256) const;
  /// Signed entries from that position on. @return them, and the position after the last one.
  Result<std::pair<std::vector<Entry>, std::uint64_t>> since(std::uint64_t position, std::size_t limit) const;
  /// Intents that a crash kept from their signature.
  Result<std::vector<Entry>> unfinished() const;
  std::size_t size() const;

 private:
  struct Known {
    std::uint64_t intent_offset = 0;
    std::optional<std::uint64_t> signature_offset;
    std::string tbs_digest;
    std::string digest;
    std::string spki_sha256;
  };

  Status read_all();
  Status index(std::uint64_t offset, const Json& body);
  Status check_realm(const RealmName& realm);
  Result<std::uint64_t> append(const Json& body);  ///< @pre mutex_ held; @return the record's offset
  void wait_durable(std::uint64_t end);
  Result<Json> read_at(std::uint64_t offset) const;
  Result<Entry> entry_of(const Serial& serial, const Known& known) const;

  base::UniqueFd file_;
  mutable std::mutex mutex_;
  std::condition_variable synced_;
  bool syncing_ = false;
  std::uint64_t end_ = 0;      ///< octets written
  std::uint64_t durable_ = 0;  ///< octets known to be on the disk
  Bytes last_hash_;
  std::string realm_;
  std::unordered_map<std::string, Known> by_serial_;
  std::unordered_map<std::string, std::string> by_idempotency_key_;  ///< -> serial
  std::map<std::uint64_t, std::string> signed_at_;                    ///< offset of a signature -> serial
  std::unordered_set<std::string> unsigned_;
  std::uint64_t last_crl_number_ = 0;
  Seconds last_crl_update_{};
};

}  // namespace chancery::signer
