#pragma once

#include <map>
#include <optional>
#include <vector>

#include "server/worker/revocation.h"
#include "server/worker/session.h"

/// The journal is the record of issuing, the store follows it (DESIGN 1).
namespace chancery::worker {

/// As what a certificate that one CA made for another is stored: of no profile of the realm.
inline constexpr const char* kCrossProfile = "cross";
inline constexpr const char* kSubCaProfile = "sub-ca";
inline constexpr const char* kRootRule = "root";  ///< unlike a cross certificate it keeps the generation above from being retired

/// A record this young may belong to a request in hand, whose worker is about to store it with more than the journal knows; one
/// from before the server's start does not, nor one of a time to come, when the clock was set back.
bool may_be_in_hand(const Session& session, Seconds at);
/// The same of a record; what another program did is never in hand here.
bool may_be_in_hand(const Session& session, const signer::JournalRecord& record);
bool may_be_in_hand(const Session& session, const Json& event);

/// When the certificate of a record ends; never, when it cannot be read.
Seconds record_end(const signer::JournalRecord& record);
/// The serial of a record, whoever issued it. @errors those of x509::Certificate::from_der.
Result<Serial> serial_of(const signer::JournalRecord& record);

/// The revocations that a realm brought along, read from the journal when the first certificate of them is stored: they stand
/// behind all its certificates there, and each has to be in the store together with its certificate, so that nobody finds a
/// revoked one good meanwhile (PROMISES C7).
class ImportedStates {
 public:
  explicit ImportedStates(Session& session) : session_(session) {}
  /// What became of the certificate of a record before the realm had it; none of one that the realm issued itself.
  Result<std::optional<store::Revocation>> of(const signer::JournalRecord& record);
  Seconds now() const { return session_.clock().now(); }

 private:
  Status read();
  Session& session_;
  std::optional<std::map<Serial, StateChange>> states_;
};

/// Stores what the journal has and the store lacks, but for what may be in hand. @errors those of signer and store.
Status store_from_journal(Session& session);

/// Brings a journalled certificate to a store that lacks it. @return its serial, when it did.
Result<std::optional<Serial>> store_if_missing(store::Store& store, const signer::JournalRecord& record, ImportedStates& states);

/// What the realm's CAs certified for one generation, a root's certificate for a CA below it and CAs' for each other, is revoked
/// like any certificate, so the store has it. @return the serials of all of it, whether they were stored before or not.
Result<std::vector<Serial>> store_ca_certificates(Session& session, const realm::Generation& generation);

}  // namespace chancery::worker
