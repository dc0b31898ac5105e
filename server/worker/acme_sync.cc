#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_moves.h"
#include "server/worker/acme_terms.h"
#include "server/worker/handlers.h"

/// What an RA that keeps ACME's state of its own brings here, and reads back (UPKI.md 1.5). These are the objects of acme.*: a
/// status only goes where RFC 8555 7.1.6 lets it go, and nothing that has ended comes back. Who may do this may issue
/// certificates without ACME anyway, so that vouching for a name gives it no right that it lacks.
namespace chancery::worker {
namespace {

// ----- what an RA may have happen, by the status that it brings

template <class Event>
struct Step {
  std::string_view to;
  Event event;
};
constexpr std::array kAccountSteps{Step<realm::AcmeAccountEvent>{"deactivated", realm::AcmeAccountEvent::Deactivate},
                                   Step<realm::AcmeAccountEvent>{"revoked", realm::AcmeAccountEvent::Revoke}};
constexpr std::array kOrderSteps{Step<realm::AcmeOrderEvent>{"invalid", realm::AcmeOrderEvent::Withdraw}};
constexpr std::array kAuthorizationSteps{
    Step<realm::AcmeAuthorizationEvent>{"valid", realm::AcmeAuthorizationEvent::Prove},
    Step<realm::AcmeAuthorizationEvent>{"invalid", realm::AcmeAuthorizationEvent::Fail},
    Step<realm::AcmeAuthorizationEvent>{"deactivated", realm::AcmeAuthorizationEvent::Deactivate},
    Step<realm::AcmeAuthorizationEvent>{"revoked", realm::AcmeAuthorizationEvent::Revoke}};

/// @return whether something has changed. @errors Conflict: no step leads there.
template <class Object, class Steps>
Result<bool> take_step(const Steps& steps, std::string_view what, Object& object, const std::string& to) {
  if (object.status == to) return false;
  for (const auto& step : steps) {
    if (step.to == to && happen(object, step.event).ok()) return true;
  }
  return Error(Code::Conflict,
               "the " + std::string(what) + " is " + object.status + " and does not become " + to + " by being synced",
               "read it from here, and go on from there");
}

/// Ids stand in addresses.
Status check_id(const std::string& id) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (!id.empty() && id.find_first_not_of(kPlain) == std::string::npos) return {};
  return Error(Code::InvalidParams, "id \"" + base::printable(id, 64) + "\", expected letters, digits, - and _");
}

// ----- accounts

Result<Json> make_account(Session& session, store::Store& store, const Params& params, const AccountKey& key) {
  const auto now = session.clock().now();
  if (params.text("account") != key.thumbprint)
    return acme_error("malformed", Code::InvalidParams,
                      "account id \"" + base::printable(params.text("account"), 64) +
                          "\", expected the RFC 7638 thumbprint of its key: " + key.thumbprint);
  store::AcmeAccount account{.id = key.thumbprint,
                             .thumbprint = key.thumbprint,
                             .jwk = key.canonical,
                             .status = std::string(realm::acme_account_life().begins()),
                             .contact = wire::to_text(Json::strings(params.texts("contact"))),
                             .terms_agreed = true,  // an RA takes no account without (UPKI.md 5.2)
                             .created_at = std::min(params.time("created_at").value_or(now), now)};
  PKI_TRY_VOID(take_step(kAccountSteps, "new account", account, params.text("status", account.status)));
  PKI_TRY_VOID(store.add_acme_account(account));
  base::log_info("ACME account " + account.id + " brought by " + session.requester());
  return describe_account(account, true);
}

Result<Json> change_account(store::Store& store, const Params& params, const AccountKey& key, store::AcmeAccount account) {
  if (account.thumbprint != key.thumbprint)
    return Error(Code::Conflict, "the account has another key", "acme.account.rekey changes keys, for who has both of them");
  const auto before = account.status;
  PKI_TRY(const bool steps, take_step(kAccountSteps, "account", account, params.text("status", account.status)));
  const auto contact = params.has("contact") ? wire::to_text(Json::strings(params.texts("contact"))) : account.contact;
  if (!steps && contact == account.contact) return describe_account(account, false);
  if (before != "valid") return Error(Code::Conflict, "the account is " + before + " and changes no more");
  account.contact = contact;
  PKI_TRY_VOID(store.update_acme_account(account));
  return describe_account(account, false);
}

// ----- orders

Order terms_of(const store::AcmeOrder& order, std::vector<x509::GeneralName> names) {
  Order wanted;
  wanted.profile = ProfileName::parse(order.profile).value();
  wanted.sans = std::move(names);
  wanted.not_before = order.not_before;
  wanted.not_after = order.not_after;
  return wanted;
}

Result<Json> make_order(Session& session, store::Store& store, const Params& params, std::vector<x509::GeneralName> names) {
  const auto id = params.text("order");
  PKI_TRY(const auto account, valid_account(store, params.text("account")));
  PKI_TRY(const auto earlier, store.by_idempotency_key(rule_of_order(id)));
  if (earlier) return Error(Code::Conflict, "an order of that id obtained certificate " + earlier->serial.hex());
  const std::string begins(realm::acme_order_life().begins());
  if (params.text("status", begins) != begins)
    return Error(Code::Conflict, "a new order is pending, not " + params.text("status"),
                 "sync it as pending, then its authorizations: with the last valid one it is ready");
  Json identifiers = Json::array();
  for (const auto& name : names) identifiers.push_back(identifier_of(name));
  const auto now = session.clock().now();
  const store::AcmeOrder order{.id = id,
                               .account = account.id,
                               .status = begins,
                               .identifiers = wire::to_text(identifiers),
                               .profile = session.realm().acme.profile.text(),
                               .not_before = params.time("not_before"),
                               .not_after = params.time("not_after"),
                               .expires = now + session.realm().acme.order_lifetime,
                               .created_at = now};
  PKI_TRY_VOID(check_policy(session, account, terms_of(order, std::move(names))));
  PKI_TRY_VOID(store.add_acme_order(order, {}));
  return describe_order(order);
}

/// Whether what is brought is the order that is here. @errors Conflict.
Status check_same(const store::AcmeOrder& order, const Params& params, const std::vector<x509::GeneralName>& names) {
  if (!owned_by(order, params.text("account"))) return Error(Code::Conflict, "the order's id belongs to another account");
  PKI_TRY(const auto identifiers, wire::parse_json(order.identifiers));
  PKI_TRY(const auto its_names, names_of(identifiers));
  const bool same_names = as_set(names) == as_set(its_names);
  if (!same_names) return Error(Code::Conflict, "the order has other identifiers: " + order.identifiers);
  const bool same_time = (!params.has("not_before") || params.time("not_before") == order.not_before) &&
                         (!params.has("not_after") || params.time("not_after") == order.not_after);
  return same_time ? Status() : Error(Code::Conflict, "the order has another notBefore or notAfter");
}

Result<Json> change_order(Session& session, store::Store& store, const Params& params, store::AcmeOrder order) {
  PKI_TRY_VOID(bring_up_to_date(store, order, session.clock().now()));
  const auto wanted = params.text("status", order.status);
  if (wanted == store::status_at(order, session.clock().now())) return describe_order(order);
  PKI_TRY(const bool steps, take_step(kOrderSteps, "order", order, wanted));
  if (!steps) return describe_order(order);
  order.error = acme_problem("unauthorized", "given up by " + session.requester());
  PKI_TRY_VOID(store.update_acme_order(order));
  return describe_order(order);
}

// ----- authorizations

Json describe_with_order(const store::AcmeAuthorization& authorization, Seconds now) {
  auto out = describe_without_challenges(authorization, now);
  const auto challenges = challenges_of(authorization);
  const auto* items = challenges.as_array();
  if (items != nullptr && !items->empty() && !items->front().text("order").empty())
    out.set("order", items->front().text("order"));
  return out;
}

/// The authorization as its RA left it. Its challenges say who vouches for that.
Status sign_off(const Session& session, store::AcmeAuthorization& authorization) {
  const auto now = session.clock().now();
  const auto& status = authorization.status;
  if (status != "valid" && status != "invalid") return {};
  const auto event = status == "valid" ? realm::AcmeChallengeEvent::Vouch : realm::AcmeChallengeEvent::Deny;
  if (status == "valid") authorization.expires = now + session.realm().acme.authorization_lifetime;
  auto challenges = challenges_of(authorization);
  for (auto& one : *challenges.as_array()) {
    PKI_TRY_VOID(happen(one, event));
    one.set("validated", base::to_rfc3339(now)).set("evidence", "vouched for by " + session.requester()).set("vouched", true);
  }
  authorization.challenges = wire::to_text(challenges);
  base::log_info("authorization " + authorization.id + " for " + authorization.value + " is " + status + ": vouched for by " +
                 session.requester());
  return {};
}

/// That the order wants one for this name and has none. @errors InvalidParams, Conflict.
Status check_place(store::Store& store, const store::AcmeOrder& order, const Json& identifier) {
  PKI_TRY(const auto identifiers, wire::parse_json(order.identifiers));
  if (std::ranges::find(*identifiers.as_array(), identifier) == identifiers.as_array()->end())
    return Error(Code::InvalidParams, identifier.text("value") + " is none of the order's identifiers");
  if (order.status != "pending") return Error(Code::Conflict, "the order is " + order.status + ", expected a pending one");
  for (const auto& id : order.authorizations) {
    PKI_TRY(const auto other, store.acme_authorization(id));
    if (ordered_identifier(other) == identifier)
      return Error(Code::Conflict, "the order has authorization " + id + " for " + other.value);
  }
  return {};
}

Result<store::AcmeAuthorization> make_authorization(Session& session, store::Store& store, const Params& params,
                                                    store::AcmeOrder& order) {
  PKI_TRY(const auto name, name_of(*params.json("identifier")));
  PKI_TRY_VOID(check_place(store, order, identifier_of(name)));
  auto authorization = authorization_for(session.realm().acme, order, name, session.clock().now());
  authorization.id = params.text("authorization");
  const auto wanted = params.text("status", authorization.status);
  PKI_TRY(const bool steps, take_step(kAuthorizationSteps, "new authorization", authorization, wanted));
  if (steps) PKI_TRY_VOID(sign_off(session, authorization));
  order.authorizations.push_back(authorization.id);
  PKI_TRY_VOID(store.add_acme_authorization(order, authorization));
  return authorization;
}

Result<store::AcmeAuthorization> change_authorization(Session& session, store::Store& store, const Params& params,
                                                      store::AcmeOrder& order, store::AcmeAuthorization authorization) {
  PKI_TRY(const auto name, name_of(*params.json("identifier")));
  const auto identifier = identifier_of(name);
  const bool same = owned_by(authorization, order.account) && ordered_identifier(authorization) == identifier;
  if (!same) return Error(Code::Conflict, "the authorization's id belongs to another account or identifier");
  authorization.status = authorization_status(authorization, session.clock().now());
  const auto wanted = params.text("status", authorization.status);
  PKI_TRY(const bool steps, take_step(kAuthorizationSteps, "authorization", authorization, wanted));
  if (std::ranges::find(order.authorizations, authorization.id) == order.authorizations.end()) {
    PKI_TRY_VOID(check_place(store, order, identifier));
    order.authorizations.push_back(authorization.id);
    PKI_TRY_VOID(store.update_acme_order(order));
  }
  if (!steps) return authorization;
  PKI_TRY_VOID(sign_off(session, authorization));
  PKI_TRY_VOID(store.update_acme_authorization(authorization));
  return authorization;
}

}  // namespace

Result<Json> acme_account_sync(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(const auto key, read_account_key(*params.json("jwk")));
  PKI_TRY_VOID(check_contacts(params.texts("contact")));
  PKI_TRY(auto* store, session.store());
  auto known = store->acme_account(params.text("account"));
  if (known.ok()) return change_account(*store, params, key, std::move(known).value());
  if (known.error().code() != Code::NotFound) return known.error();
  return make_account(session, *store, params, key);
}

Result<Json> acme_order_find(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto order, store->acme_order(params.text("order")));
  PKI_TRY_VOID(bring_up_to_date(*store, order, session.clock().now()));
  return describe_order(order);
}

Result<Json> acme_order_sync(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY_VOID(check_id(params.text("order")));
  PKI_TRY(auto names, names_of(*params.json("identifiers")));
  PKI_TRY(auto* store, session.store());
  auto known = store->acme_order(params.text("order"));
  if (known.ok()) {
    PKI_TRY_VOID(check_same(*known, params, names));
    return change_order(session, *store, params, std::move(known).value());
  }
  if (known.error().code() != Code::NotFound) return known.error();
  return make_order(session, *store, params, std::move(names));
}

Result<Json> acme_authorization_find(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto authorization, store->acme_authorization(params.text("authorization")));
  return describe_with_order(authorization, session.clock().now());
}

Result<Json> acme_authorization_sync(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY_VOID(check_id(params.text("authorization")));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto order, store->acme_order(params.text("order")));
  PKI_TRY([[maybe_unused]] const auto owner, valid_account(*store, order.account));
  const auto now = session.clock().now();
  PKI_TRY_VOID(bring_up_to_date(*store, order, now));
  auto known = store->acme_authorization(params.text("authorization"));
  if (!known.ok() && known.error().code() != Code::NotFound) return known.error();
  const auto done = known.ok() ? change_authorization(session, *store, params, order, std::move(known).value())
                               : make_authorization(session, *store, params, order);
  if (!done.ok()) return done.error();
  return describe_with_order(*done, now);
}

}  // namespace chancery::worker
