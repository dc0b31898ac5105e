#include "server/realm/acme_policy.h"
#include "server/worker/acme_agreement.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_grants.h"
#include "server/worker/acme_limits.h"
#include "server/worker/acme_refusals.h"
#include "server/worker/acme_terms.h"
#include "server/worker/handlers.h"

/// RFC 8555 7.4.1: a name that is proved, or granted by a policy, before any order asks for it.
namespace chancery::worker {

Result<Json> acme_authorization_create(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, signing_account(*store, params));
  PKI_TRY_VOID(check_agreement(session.realm().acme, *store, account));
  PKI_TRY(const auto policy, policy_of_account(session, *store, account.id));
  PKI_TRY(const auto names, names_for_order(Json::array({*params.json("identifier")})));
  const auto& name = names.front();
  if (is_wildcard(name))
    return acme_error("malformed", Code::InvalidParams,
                      "wildcard " + name.value + ": only an order may ask for one (RFC 8555 7.4.1)");
  PKI_TRY_VOID(check_names(policy, names));
  const auto acme = realm::narrowed(session.realm().acme, policy);
  PKI_TRY(const auto asker, asker_of(session, policy, params));
  const bool is_granted = realm::needs_no_proof(policy, name, asker);
  if (!is_granted) PKI_TRY_VOID(check_provable(acme, names));
  Order wanted;
  PKI_TRY(wanted.profile, profile_by(policy, session, params));
  wanted.sans = names;
  PKI_TRY_VOID(check_policy(session, account, wanted));
  const auto now = session.clock().now();
  const store::AcmeOrder none{
      .id = {}, .account = account.id, .status = {}, .identifiers = {}, .expires = now + session.realm().acme.order_lifetime};
  auto fresh = authorization_for(acme, none, name, now);
  PKI_TRY(const auto earlier, store->find_valid_acme_authorization(fresh, now));
  if (earlier) return describe_authorization(*earlier, now).set("created", false);
  const NewOrder asked{
      .account = account.id, .names = names, .fresh_authorizations = is_granted ? 0U : 1U, .is_order = false, .replaces = {}};
  PKI_TRY_VOID(check_limits(session, *store, policy, asked));
  if (is_granted) PKI_TRY_VOID(grant(fresh, asker, now));
  PKI_TRY_VOID(store->add_acme_authorization(fresh, allowance_for(session, *store, policy, asked)));
  return describe_authorization(fresh, now).set("created", true);
}

}  // namespace chancery::worker
