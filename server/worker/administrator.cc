#include "server/worker/administrator.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/worker/attest.h"

namespace chancery::worker {

Result<store::CertificateRecord> check_living(Session& session, const x509::Certificate& certificate) {
  PKI_TRY(const auto* authority, session.authority());
  if (const auto own = certificate.verify_signed_by(authority->certificate); !own.ok())
    return Error(Code::AuthFailed, "the certificate is not of this realm: " + own.error().message());
  PKI_TRY(auto* store, session.store());
  auto record = store->certificate(certificate.serial());
  if (!record.ok() && record.error().code() == Code::NotFound)
    return Error(Code::AuthFailed, "the realm knows no certificate " + certificate.serial().hex());
  if (!record.ok()) return record.error();
  const auto now = session.clock().now();
  if (record->state != store::CertificateState::Valid) return Error(Code::AuthFailed, "the certificate is revoked");
  if (now < certificate.not_before() || now > certificate.not_after())
    return Error(Code::AuthFailed, "the certificate is not valid now");
  return record;
}

Result<bool> is_administrator(Session& session, const std::string& dn) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto admins, store->admins());
  return std::ranges::find(admins, dn) != admins.end();
}

Status check_administrator(Session& session, const x509::Certificate& certificate) {
  PKI_TRY([[maybe_unused]] const auto record, check_living(session, certificate));
  const auto dn = certificate.subject().to_slash();
  PKI_TRY(const bool listed, is_administrator(session, dn));
  if (listed) return {};
  return Error(Code::AuthFailed, dn + " is not on the realm's list of administrators");
}

Status check_login_holds(Session& session) {
  if (session.is_attested()) return check_attestation_holds(session);
  if (!session.login()) return {};
  const auto holds = check_administrator(session, *session.login());
  if (holds.ok() || holds.error().code() != Code::AuthFailed) return holds;
  const auto who = session.identity().name;
  base::log_warning("the login of " + who + " ended: " + holds.error().message());
  session.log_out();
  return Error(Code::AuthFailed, "the login of " + who + " ended: " + holds.error().message(), "call session.login again");
}

}  // namespace chancery::worker
