#include "server/worker/revocation.h"

#include "server/worker/audit.h"

namespace chancery::worker {
namespace {

Result<store::CertificateRecord> change(Session& session, const StateChange& wanted) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY([[maybe_unused]] const auto known, store->certificate(wanted.serial));  // nothing is journalled about what is not there
  const auto about =
      Json::object({{"serial", wanted.serial.hex()}, {"reason", wanted.reason}, {"at", base::to_epoch(wanted.at)}});
  PKI_TRY_VOID(audit_state(session, about));
  if (wanted.reason.empty()) return store->unrevoke(wanted.serial, wanted.at);
  return store->revoke({wanted.serial, wanted.reason, wanted.at, wanted.by});
}

}  // namespace

Result<store::CertificateRecord> revoke(Session& session, const Serial& serial, const std::string& reason) {
  return change(session, {serial, reason, session.clock().now(), session.requester()});
}

Result<store::CertificateRecord> release(Session& session, const Serial& serial) {
  return change(session, {serial, {}, session.clock().now(), session.requester()});
}

Result<StateChange> state_change_from(const Json& event) {
  PKI_TRY(const auto about, wire::parse_json(event.text("about")));
  PKI_TRY(auto serial, Serial::from_hex(about.text("serial")));
  return StateChange{std::move(serial), about.text("reason"), base::from_epoch(about.integer("at")), event.text("requester")};
}

Status repeat(store::Store& store, const StateChange& change) {
  const auto done = change.reason.empty() ? store.unrevoke(change.serial, change.at)
                                          : store.revoke({change.serial, change.reason, change.at, change.by});
  if (done.ok() || done.error().code() == Code::Conflict) return {};
  return done.error();
}

}  // namespace chancery::worker
