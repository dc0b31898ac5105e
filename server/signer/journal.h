#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "server/realm/generations.h"
#include "server/signer/journal_file.h"
#include "server/signer/messages.h"
#include "server/signer/records.h"

namespace chancery::signer {

/// An intent and its signature, if it has one.
struct Entry {
  std::uint64_t position = 0;  ///< of the signature's record, or of the intent's while there is none
  Intent intent;
  std::optional<Bytes> signature;
  std::optional<Imported> imported{};  ///< instead of both: another program issued it, and the intent has no TBS
};

/// What the records say, without their bodies: a certificate takes about 150 octets of memory.
class JournalIndex {
 public:
  /// Takes in the next record. @errors Corrupt: it cannot stand here.
  Status add(std::uint64_t offset, const Json& body);

  static constexpr std::uint64_t kNone = 0;  ///< the offset of the genesis, so never of anything else
  struct Known {
    std::uint64_t intent = kNone;  ///< none: the serial is of a certificate of the CA itself
    std::uint64_t signature = kNone;
    std::uint16_t ca = 0;  ///< whose it is: a place in a list of generations, so that the first CA's is 0
    Seconds end{};         ///< of its validity; 0: nobody knows
  };
  const Known* by_serial(const Serial& serial) const;
  const Known* by_idempotency_key(const std::string& key) const;
  const std::optional<Genesis>& genesis() const { return genesis_; }
  struct LastCrl {
    std::uint64_t number = 0;
    Seconds update{};
  };
  LastCrl last_crl(const std::string& ca) const;
  /// The state of a generation and its key; none: there is no such one.
  struct GenerationFacts {
    realm::GenerationState state = realm::GenerationState::Active;
    std::string key_sha256;
  };
  std::optional<GenerationFacts> generation(const std::string& ca) const;
  const std::map<std::string, GenerationFacts>& generations() const { return generations_; }
  /// When the last certificate that a generation signed expires, whatever became of it; none: it signed none. What a CA
  /// certified under its own name, its root's and its next key's, does not count: nobody below it is served by that.
  std::optional<Seconds> last_end(const std::string& ca) const;
  /// The generation that used the serial; none: the journal has no such serial.
  std::optional<std::string> ca_of(const Serial& serial) const;
  /// Signed entries whose signature stands at or behind `from` and before `to`, at most `limit`.
  std::vector<Known> signed_between(std::uint64_t from, std::uint64_t to, std::size_t limit) const;
  std::vector<Known> unfinished() const;
  /// By what the events say, held ones included.
  bool is_revoked(const Serial& serial) const { return revoked_.contains(octets_of(serial)); }
  bool is_revoked_for_good(const Serial& serial) const;
  /// A certificate of that generation that was revoked or held by then, has not ended before the generation's last CRL, and is
  /// not among the entries; none: all are.
  std::optional<Serial> lacking_in(const std::string& ca, const std::vector<x509::RevokedEntry>& entries,
                                   Seconds revoked_by) const;

 private:
  using SerialOctets = std::array<std::uint8_t, base::kMaxSerialOctets>;
  using KeyDigest = std::array<std::uint8_t, 32>;
  struct Hash {
    std::size_t operator()(const SerialOctets& octets) const;
    std::size_t operator()(const KeyDigest& digest) const;
  };
  static SerialOctets octets_of(const Serial& serial);
  static KeyDigest digest_of(const std::string& key);

  Status add_genesis(std::uint64_t offset, const Json& body);
  Status add_anchor(std::uint64_t offset, const Json& body);
  Status add_imported(std::uint64_t offset, const Json& body);
  Status add_intent(std::uint64_t offset, const Json& body);
  Status add_signature(std::uint64_t offset, const Json& body);
  Status add_crl(std::uint64_t offset, const Json& body);
  Status add_event(std::uint64_t offset, const Json& body);
  Status add_generation(std::uint64_t offset, const Json& body);
  std::uint16_t place_of(const Json& body);
  void note_end(std::uint16_t place, Seconds end);
  struct Kind;
  static const std::array<Kind, 8> kKinds;

  std::optional<Genesis> genesis_;
  std::unordered_map<SerialOctets, Known, Hash> by_serial_;
  std::unordered_map<KeyDigest, SerialOctets, Hash> by_idempotency_key_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> signed_;  ///< signature, intent; in the order of the signatures
  std::set<std::uint64_t> unfinished_;                           ///< intents
  struct Revoked {
    bool for_good;
    Seconds since;  ///< when the first event said so
  };
  std::unordered_map<SerialOctets, Revoked, Hash> revoked_;
  std::vector<std::string> cas_{"ca"};             ///< what Known::ca counts
  std::vector<std::optional<Seconds>> last_ends_;  ///< as cas_
  std::map<std::string, LastCrl> last_crls_;
  std::map<std::string, GenerationFacts> generations_;  ///< those that have a record
};

/// The write-ahead record of issuing (DESIGN 1): append-only and hash-chained, at most one TBS per serial for ever. Functions may
/// be called by several threads; many appends share one sync.
class Journal {
 public:
  /// Makes the journal of a new CA. @errors Exists; Io.
  static Status create(const base::Path& directory, const Genesis& genesis);
  /// Opens the journal of this realm and key; no other process can, as long as this lives.
  /// @errors NotFound; Busy; Corrupt: the message names the offset; BadConfig: it is another realm's or key's; Denied; Io.
  static Result<std::unique_ptr<Journal>> open(const base::Path& directory, const Genesis& owner,
                                               JournalFile::Sync sync = ::fdatasync);
  /// Looks at every record without locking or changing the file. @errors as open, but Busy.
  static Status check(const base::Path& directory, const Genesis& owner);
  /// The generations that it has records of, likewise. @errors as check.
  static Result<std::map<std::string, JournalIndex::GenerationFacts>> generations_in(const base::Path& directory);

  /// Makes a certificate of the CA itself known, durably, before it is signed or used. @errors Exists: the serial is used.
  Status add_anchor(const Anchor& anchor);
  /// Takes in what another program did with this CA's key, durably, with one sync for all: the certificates that it issued, and
  /// what became of them. @errors Exists: a serial is used; Io: disk full.
  Status add_history(const std::vector<Imported>& certificates, const std::vector<AuditEvent>& events);
  /// Makes the intent durable, or finds the one that stands for it already: the same serial with the same TBS, or the same
  /// idempotency key with the same digest.
  /// @errors Exists: another TBS under that serial (C5); Conflict: another request under that idempotency key; Io: disk full.
  Result<Entry> begin(const Intent& intent);
  /// Makes the signature durable, or finds the one that is there: the first one stands.
  Result<Bytes> finish(const Serial& serial, const Bytes& signature);
  /// Claims a CRL number durably, before the CRL is signed. @errors Conflict: not above the last one, or this_update below it
  /// (C8).
  Status begin_crl(const CrlClaim& claim);

  /// Makes an event durable: what somebody is about to do besides signing, has done, or was refused (PROMISES C18).
  /// @errors Io: disk full.
  Status record(const AuditEvent& event);
  /// Every record from that position on, whatever its kind, as it stands, with its "position" (the audit stream).
  /// @param kind only records of that kind; empty: all. A call looks at kMostLookedAt records, so a page may be empty before the
  /// end.
  Result<AuditPage> records_since(std::uint64_t position, std::size_t limit, std::string_view kind = {}) const;
  static constexpr std::size_t kMostLookedAt = 10000;

  /// Why the last record could not be written; empty when it could (PROMISES C18: the realm is not ready then).
  std::string fault() const;
  std::uint64_t last_crl_number(const std::string& ca = "ca") const;
  /// Makes a generation's state durable before anything is done by it. The state that it has already changes nothing.
  /// @errors Conflict: it cannot follow the present one, or the key is another than it had, or it is to retire while something
  /// that it signed has not expired and been on a CRL after that; NotFound: a generation without a
  /// record gets another first state than "prepared".
  /// @param ca_end  of its certificate: nothing below it lives longer
  Status set_generation(const StateChangeOfCa& change, Seconds ca_end = Seconds::max());
  /// As JournalIndex::last_end.
  std::optional<Seconds> last_end(const std::string& ca) const;
  /// Those that have a record; without one the first CA's first is active.
  std::map<std::string, JournalIndex::GenerationFacts> generations() const;
  /// The generation that used the serial; none: the journal has no such serial.
  std::optional<std::string> ca_of(const Serial& serial) const;
  /// @errors PolicyRefused: a serial of another generation.
  Status check_all_of(const std::string& ca, const std::vector<x509::RevokedEntry>& entries) const;
  /// Whether a CRL of these entries forgets nothing that the events say. What an event has said within the last minute may be
  /// missing: whoever asked for that may not have stored it yet. @errors Conflict: one is missing.
  Status check_lists_all(const std::string& ca, const std::vector<x509::RevokedEntry>& entries, Seconds now) const;
  /// Those among them that no record used, whether with a signature of ours or not.
  std::vector<Serial> unknown(const std::vector<Serial>& asked) const;
  /// Whether the journal holds a certificate of that serial with that key.
  Result<bool> has_key_of(const Serial& serial, std::string_view spki_sha256) const;
  /// The certificate of that serial, if it was signed or taken over.
  Result<std::optional<Entry>> signed_entry(const Serial& serial) const;
  /// Whether an event says that it was revoked or is held.
  bool is_revoked(const Serial& serial) const;
  bool is_revoked_for_good(const Serial& serial) const;  ///< not only on hold
  /// Signed entries from that position on. @return them, and the position after the last one.
  Result<std::pair<std::vector<Entry>, std::uint64_t>> since(std::uint64_t position, std::size_t limit) const;
  /// Intents that a crash kept from their signature.
  Result<std::vector<Entry>> unfinished() const;

 private:
  Journal() = default;
  Result<std::uint64_t> append(const Json& body);  ///< @pre mutex_ held
  Status append_durably(std::unique_lock<std::mutex> lock, const Json& body);
  Result<std::optional<Entry>> standing_for(const Intent& intent) const;
  Result<Json> read(std::uint64_t offset) const;
  Result<Entry> read_entry(const JournalIndex::Known& known) const;
  Result<std::vector<Entry>> read_entries(const std::vector<JournalIndex::Known>& known) const;

  mutable std::mutex mutex_;  ///< order of the appends, and the index
  JournalIndex index_;
  std::string fault_;
  std::unique_ptr<JournalFile> file_;
};

}  // namespace chancery::signer
