#include "server/worker/administrator.h"

#include <algorithm>

#include "server/base/log.h"

namespace chancery::worker {

Status check_administrator(Session& session, const x509::Certificate& certificate) {
  PKI_TRY(const auto* authority, session.authority());
  PKI_TRY_VOID(certificate.verify_signed_by(authority->certificate));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, store->certificate(certificate.serial()));
  const auto now = session.clock().now();
  if (record.state != store::CertificateState::Valid) return Error(Code::AuthFailed, "the certificate is revoked");
  if (now < certificate.not_before() || now > certificate.not_after())
    return Error(Code::AuthFailed, "the certificate is not valid now");
  PKI_TRY(const auto admins, store->admins());
  const auto dn = certificate.subject().to_slash();
  if (std::ranges::find(admins, dn) != admins.end()) return {};
  return Error(Code::AuthFailed, dn + " is not on the realm's list of administrators");
}

Status check_login_holds(Session& session) {
  if (!session.login()) return {};
  const auto holds = check_administrator(session, *session.login());
  if (holds.ok() || holds.error().code() != Code::AuthFailed) return holds;
  const auto who = session.identity().name;
  base::log_warning("the login of " + who + " ended: " + holds.error().message());
  session.log_out();
  return Error(Code::AuthFailed, "the login of " + who + " ended: " + holds.error().message(), "call session.login again");
}

}  // namespace chancery::worker
