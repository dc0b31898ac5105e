#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/key.h"
#include "server/worker/handlers.h"

namespace chancery::worker {
namespace {

Json identity_of(const Session& session) {
  return Json::object({{"realm", session.realm().name.text()},
                       {"identity", session.identity().name},
                       {"roles", Json::strings(session.identity().roles.names())},
                       {"challenge", session.challenge()}});
}

/// The certificate must be this realm's own, valid now, and its DN on the realm's list of administrators.
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
  for (const auto& admin : admins) {
    if (admin == dn) return {};
  }
  return Error(Code::AuthFailed, dn + " is not on the realm's list of administrators");
}

Status check_login(Session& session, const x509::Certificate& certificate, const std::string& signature_text) {
  PKI_TRY(const auto signature, base::from_base64(signature_text));
  const auto key = certificate.public_key();
  PKI_TRY(const auto algorithm, crypto::algorithm_for(key.spec(), "sha256"));
  PKI_TRY_VOID(key.verify(algorithm, base::as_bytes(session.challenge()), signature));
  return check_administrator(session, certificate);
}

}  // namespace

Result<Json> session_open(Session& session, const Params& params) {
  const auto realm = params.text("realm", session.snapshot().server.default_realm);
  PKI_TRY_VOID(session.open(realm, params.text("front_end")));
  base::log_info("session open: " + session.identity().name + " roles " + base::join(session.identity().roles.names(), ","));
  return identity_of(session);
}

Result<Json> session_whoami(Session& session, const Params& /*params*/) { return identity_of(session); }

Result<Json> session_login(Session& session, const Params& params) {
  PKI_TRY(const auto certificate, x509::Certificate::from_pem(params.text("certificate")));
  const auto checked = check_login(session, certificate, params.text("signature"));
  const auto dn = certificate.subject().to_slash();
  if (!checked.ok()) {
    base::log_warning("login refused for " + dn + ": " + checked.error().message());
    // One answer for every reason: a stranger learns nothing about the list.
    return Error(Code::AuthFailed, "login refused",
                 "the certificate must be this realm's, valid and an administrator's; sign session.whoami's challenge");
  }
  session.become({"cert:" + dn, session.identity().front_end, Roles{Role::Admin}});
  base::log_info("login: " + session.identity().name);
  return identity_of(session);
}

Result<Json> session_close(Session& session, const Params& /*params*/) {
  session.closing = true;
  return Json::object({{"closed", true}});
}

}  // namespace chancery::worker
