#pragma once

#include <optional>
#include <string>

#include "server/worker/session.h"

/// What changes a certificate's state. The journal has the change, durably, before the store has it, so that a store restored
/// from an older copy gets its revocations back, too (DESIGN 1, PROMISES C7, F10).
namespace chancery::worker {

using signer::kStateChange;  ///< `what` of its event in the audit stream

/// @param reason CRLReason name. @errors NotFound; Conflict: its state allows no such change; Io, Unavailable: nothing was done.
Result<store::CertificateRecord> revoke(Session& session, const Serial& serial, const std::string& reason);
/// Takes a hold back.
Result<store::CertificateRecord> release(Session& session, const Serial& serial);

/// One such change as the journal has it.
struct StateChange {
  Serial serial;
  std::string reason;  ///< empty: a hold was taken back
  Seconds at{};
  std::string by;
};
/// @errors Malformed: the event is none.
Result<StateChange> state_change_from(const Json& event);
/// The same for the store. @param der  of the certificate, whose key the change may say is compromised; empty: unknown.
store::Revocation revocation_of(const StateChange& change, ByteView der);
/// The same of what came from the journal, where no event may stand in the way of those behind it: what is none is logged as an
/// error. @return none: it is none.
std::optional<StateChange> repeatable_change(const Json& event);
/// Does in the store what the journal says was done. A change that its state does not allow was refused then, too, and one of a
/// certificate that nobody knows is logged: no error, or no CRL would be made any more.
Status repeat(store::Store& store, const StateChange& change);

}  // namespace chancery::worker
