#include "server/base/log.h"
#include "server/worker/acme_agreement.h"
#include "server/worker/acme_blocking.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_external.h"
#include "server/worker/acme_moves.h"
#include "server/worker/handlers.h"

namespace chancery::worker {
namespace {

/// The account of a key, or a new one when several ask at once: the first one's.
Result<Json> create(Session& session, store::Store& store, const Params& params, const AccountKey& key) {
  const auto& terms = session.realm().acme.terms_of_service;
  const bool agrees = params.boolean("terms_agreed");
  if (!terms.empty() && !agrees) return terms_refusal(terms, "the terms of service must be agreed to");
  PKI_TRY_VOID(check_contacts(params.texts("contact")));
  PKI_TRY(const auto bound_by, read_external_account(session, store, params, key));
  store::AcmeAccount account{.id = key.thumbprint,  // uPKI's client takes the thumbprint for the id (UPKI.md 7)
                             .thumbprint = key.thumbprint,
                             .jwk = key.canonical,
                             .status = std::string(realm::acme_account_life().begins()),
                             .contact = wire::to_text(Json::strings(params.texts("contact"))),
                             .created_at = session.clock().now()};
  if (agrees) agree(session.realm().acme, account);
  const auto added =
      bound_by ? store.add_bound_acme_account(account, {account.id, bound_by->kid, bound_by->policy}, account.created_at)
               : store.add_acme_account(account);
  if (bound_by && added.ok())
    base::log_info("ACME account " + account.id + " bound by key " + bound_by->kid + " " + bound_by->label);
  if (added.ok()) return describe_account(account, true);
  if (added.error().code() != Code::Exists) return added.error();
  PKI_TRY(const auto other, store.find_acme_account_by_thumbprint(key.thumbprint));
  if (!other) return Error(Code::Conflict, "an account had this key as its first one");
  return describe_account(*other, false);
}

/// Whoever asks for an account that is there, and agrees to the terms, agrees to those of today (RFC 8555 7.3.3).
Result<Json> find(Session& session, store::Store& store, const Params& params, store::AcmeAccount account) {
  const bool agrees = params.boolean("terms_agreed") && account.status == "valid";
  if (agrees && agree(session.realm().acme, account)) {
    PKI_TRY_VOID(unless_overtaken(store.update_acme_account(account)));
  }
  return describe_account(account, false);
}

}  // namespace

Result<Json> acme_account_create(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(const auto key, read_account_key(*params.json("jwk")));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto known, store->find_acme_account_by_thumbprint(key.thumbprint));
  if (known) return find(session, *store, params, *known);
  if (params.boolean("only_existing"))
    return acme_error("accountDoesNotExist", Code::NotFound, "there is no account with this key");
  return create(session, *store, params, key);
}

Result<Json> acme_account_get(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, store->acme_account(params.text("account")));
  return describe_account(account, false);
}

Result<Json> acme_account_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto page, store->acme_accounts(page_limit(params), params.text("after")));
  Json rows = Json::array();
  for (const auto& account : page.items) rows.push_back(describe_account(account, false));
  return page_of("accounts", std::move(rows), page.next);
}

Result<Json> acme_account_rekey(Session& session, const Params& params) {
  PKI_TRY(const auto key, read_account_key(*params.json("jwk")));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto account, signing_account(*store, params));
  account.thumbprint = key.thumbprint;
  account.jwk = key.canonical;
  PKI_TRY_VOID(store->update_acme_account(account));
  return describe_account(account, false);
}

Result<Json> acme_account_update(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto account, signing_account(*store, params));
  if (params.has("contact")) {
    PKI_TRY_VOID(check_contacts(params.texts("contact")));
    account.contact = wire::to_text(Json::strings(params.texts("contact")));
  }
  // The command takes no other word.
  if (params.has("status")) PKI_TRY_VOID(happen(account, realm::AcmeAccountEvent::Deactivate));
  if (params.boolean("terms_agreed")) agree(session.realm().acme, account);
  PKI_TRY_VOID(store->update_acme_account(account));
  if (account.status != "valid") PKI_TRY_VOID(end_open_orders(*store, account));  // RFC 8555 7.3.6
  return describe_account(account, false);
}

Result<Json> acme_realm_get(Session& session, const Params& /*params*/) { return describe_rules(session.realm().acme); }

}  // namespace chancery::worker
