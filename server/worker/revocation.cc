#include "server/worker/revocation.h"

#include "server/base/calendar.h"
#include "server/base/log.h"
#include "server/worker/audit.h"
#include "server/x509/reasons.h"

namespace chancery::worker {
namespace {

/// The key of a certificate that was revoked because others may have it; empty for other reasons.
std::string compromised_key(const StateChange& change, ByteView der) {
  if (change.reason != x509::reason_name(x509::kReasonKeyCompromise)) return {};
  const auto certificate = x509::Certificate::from_der(der);
  if (certificate.ok()) return certificate->public_key().spki_sha256_hex();
  // It can be revoked all the same.
  base::log_warning("certificate " + change.serial.hex() +
                    ": its key is compromised, but cannot be read: " + certificate.error().message());
  return {};
}

Result<store::CertificateRecord> change(Session& session, const StateChange& wanted) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto known, store->certificate(wanted.serial));  // nothing is journalled about what is not there
  const auto about =
      Json::object({{"serial", wanted.serial.hex()}, {"reason", wanted.reason}, {"at", base::to_epoch(wanted.at)}});
  PKI_TRY_VOID(audit_state(session, about));
  if (wanted.reason.empty()) return store->unrevoke(wanted.serial, wanted.at);
  return store->revoke(revocation_of(wanted, known.der));
}

}  // namespace

Result<store::CertificateRecord> revoke(Session& session, const Serial& serial, const std::string& reason) {
  return change(session, {serial, reason, session.clock().now(), session.requester()});
}

Result<store::CertificateRecord> release(Session& session, const Serial& serial) {
  return change(session, {serial, {}, session.clock().now(), session.requester()});
}

store::Revocation revocation_of(const StateChange& change, ByteView der) {
  return {.serial = change.serial,
          .reason = change.reason,
          .at = change.at,
          .by = change.by,
          .ca = {},
          .compromised_key = compromised_key(change, der)};
}

// What no CRL can say would stop every CRL of the realm (RFC 5280 5.3.1; removeFromCRL is of delta CRLs alone).
Result<StateChange> state_change_from(const Json& event) {
  PKI_TRY(const auto about, wire::parse_json(event.text("about")));
  PKI_TRY(auto serial, Serial::from_hex(about.text("serial")));
  auto reason = about.text("reason");
  if (!reason.empty()) {
    PKI_TRY(const auto number, x509::reason_from_name(reason));
    if (number == x509::kReasonRemoveFromCrl) return Error(Code::Malformed, "found removeFromCRL, which nothing is revoked for");
    reason = x509::reason_name(number);
  }
  PKI_TRY(const auto at, base::time_from_epoch(about.integer("at")));
  if (at < base::from_epoch(0)) return Error(Code::Malformed, "found time " + base::to_rfc3339(at) + ", expected one since 1970");
  return StateChange{std::move(serial), std::move(reason), at, event.text("requester")};
}

std::optional<StateChange> repeatable_change(const Json& event) {
  auto change = state_change_from(event);
  if (change.ok()) return std::move(change).value();
  base::log_error("the journal's event " + std::to_string(event.integer("position")) +
                  " changes no certificate's state: " + change.error().message());
  return std::nullopt;
}

Status repeat(store::Store& store, const StateChange& change) {
  const auto known = store.certificate(change.serial);
  if (!known.ok() && known.error().code() == Code::NotFound) {
    base::log_error("the journal has a change of certificate " + change.serial.hex() +
                    ", which neither it nor the store knows: it is on no CRL");
    return {};
  }
  if (!known.ok()) return known.error();
  const auto done =
      change.reason.empty() ? store.unrevoke(change.serial, change.at) : store.revoke(revocation_of(change, known->der));
  if (done.ok() || done.error().code() == Code::Conflict) return {};
  return done.error();
}

}  // namespace chancery::worker
