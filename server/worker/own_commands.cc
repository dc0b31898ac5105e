#include "server/base/text.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

/// What a certificate's holder may do with that certificate and no other (UPKI.md 5.3, /client/*).
namespace chancery::worker {
namespace {

/// The params with the serial of the certificate that the session stands on. @pre the session stands on one: In::Holder
Json about_own(const Session& session, const Json& params) {
  auto out = params;
  return out.set("serial", session.login()->serial().hex());
}

/// A node that was deleted does not come back by itself, whatever certificates it has left.
Status check_node_lives(Session& session) {
  const auto cn = session.login()->subject().common_name();
  if (!cn) return {};
  PKI_TRY(auto* store, session.store());
  const auto node = store->node(*cn);
  if (node.ok() || node.error().code() != Code::NotFound) return node.ok() ? Status() : Status(node.error());
  return Error(Code::Denied, "node " + base::printable(*cn, 64) + " was deleted, so its certificates are not renewed",
               "register it again");
}

}  // namespace

Result<Json> own_certificate_get(Session& session, const Params& params) {
  const auto own = about_own(session, params.whole());
  return certificate_get(session, Params(own));
}

Result<Json> own_certificate_revoke(Session& session, const Params& params) {
  const auto own = about_own(session, params.whole());
  return certificate_revoke(session, Params(own));
}

/// The holder's living certificate stands in for the role.
Result<Json> own_certificate_renew(Session& session, const Params& params) {
  PKI_TRY_VOID(check_node_lives(session));
  const auto own = about_own(session, params.whole());
  auto roles = session.identity().roles;
  roles.add(Role::RaOperator);
  return renew_certificate(session, Params(own), roles);
}

}  // namespace chancery::worker
