#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/administrator.h"
#include "server/worker/attest.h"
#include "server/worker/handlers.h"
#include "server/worker/login.h"
#include "server/worker/login_count.h"

namespace chancery::worker {
namespace {

Status check_login(Session& session, const x509::Certificate& certificate, const std::string& signature_text) {
  PKI_TRY_VOID(check_signed_challenge(session, certificate, signature_text));
  return check_administrator(session, certificate);
}

/// Through a front end no more than that may (DESIGN 4).
Roles roles_of_login(const Session& session) {
  const Roles admin{Role::Admin};
  return session.vouching().front_end.empty() ? admin : admin.narrowed_to(session.vouching().roles);
}

/// Without a stack: the realm's administrators, whatever stacks there are.
Result<Json> log_in_administrator(Session& session, const Params& params);

}  // namespace

Result<Json> session_open(Session& session, const Params& params) {
  const auto realm = params.text("realm", session.snapshot().server.default_realm);
  PKI_TRY_VOID(session.open(realm, params.text("front_end")));
  base::log_info("session open: " + session.identity().name + " roles " + base::join(session.identity().roles.names(), ","));
  return identity_of(session);
}

Result<Json> session_whoami(Session& session, const Params& /*params*/) { return identity_of(session); }

Result<Json> session_login(Session& session, const Params& params) {
  if (params.has("stack")) return log_in_by_stack(session, params);
  for (const auto* name : {"certificate", "signature"}) {
    if (!params.has(name)) return Error(Code::InvalidParams, std::string("without stack, ") + name + " is required");
  }
  for (const auto* name : {"user", "password", "token"}) {
    if (params.has(name))
      return Error(Code::InvalidParams, std::string(name) + " without stack, expected the login stack's name");
  }
  return log_in_administrator(session, params);
}

namespace {

Result<Json> log_in_administrator(Session& session, const Params& params) {
  PKI_TRY(auto certificate, x509::Certificate::from_pem(params.text("certificate")));
  const auto checked = check_login(session, certificate, params.text("signature"));
  session.renew_challenge();
  const auto dn = certificate.subject().to_slash();
  if (!checked.ok()) {
    base::log_warning("login refused for " + dn + ": " + checked.error().message());
    session.closing = session.count_failed_login() >= kMostFailedLogins;
    // One answer for every reason: a stranger learns nothing about the list.
    return Error(Code::AuthFailed, "login refused",
                 "the certificate must be this realm's, valid and an administrator's; sign session.whoami's challenge");
  }
  session.log_in({"cert:" + dn, session.identity().front_end, roles_of_login(session)}, std::move(certificate));
  base::log_info("login: " + session.identity().name);
  return identity_of(session);
}

}  // namespace

Result<Json> session_attest(Session& session, const Params& params) { return attest(session, params); }

Result<Json> session_close(Session& session, const Params& /*params*/) {
  session.closing = true;
  return Json::object({{"closed", true}});
}

}  // namespace chancery::worker
