#include <algorithm>

#include "server/base/log.h"
#include "server/realm/acme_policy.h"
#include "server/store/acme_grant.h"
#include "server/store/hold.h"
#include "server/worker/acme_agreement.h"
#include "server/worker/acme_caa.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_follow.h"
#include "server/worker/acme_grants.h"
#include "server/worker/acme_limits.h"
#include "server/worker/acme_moves.h"
#include "server/worker/acme_refusals.h"
#include "server/worker/acme_renewal.h"
#include "server/worker/acme_terms.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

namespace chancery::worker {
namespace {

using realm::AcmeAuthorizationEvent;
using realm::AcmeOrderEvent;

constexpr std::chrono::milliseconds kFinalizePatience{3000};  ///< below the 4 s of an answer

/// What an order asks for, of what its account may have.
struct Wish {
  config::AcmePolicy policy;
  config::AcmeConfig acme;  ///< with the ways to prove names that the policy leaves
  std::vector<x509::GeneralName> names;
  realm::AcmeAsker asker;

  bool needs_proof(const x509::GeneralName& name) const { return !realm::needs_no_proof(policy, name, asker); }
};

Result<Wish> read_wish(Session& session, store::Store& store, const store::AcmeAccount& account, const Params& params) {
  const auto& acme = session.realm().acme;
  PKI_TRY_VOID(check_agreement(acme, store, account));
  PKI_TRY(auto policy, policy_of_account(session, store, account.id));
  PKI_TRY(auto names, names_for_order(*params.json("identifiers")));
  auto narrowed = realm::narrowed(acme, policy);
  PKI_TRY(auto asker, asker_of(session, policy, params));
  const Wish wish{std::move(policy), std::move(narrowed), std::move(names), std::move(asker)};
  std::vector<x509::GeneralName> to_prove;
  std::ranges::copy_if(wish.names, std::back_inserter(to_prove), [&](const auto& name) { return wish.needs_proof(name); });
  PKI_TRY_VOID(check_provable(wish.acme, to_prove));
  PKI_TRY_VOID(check_names(wish.policy, wish.names));
  return wish;
}

/// A realm that serves uPKI's command line takes names unproven. Such an authorization has no challenge, and no other order may
/// stand on it: it ends with its own.
Status take_unproven(std::vector<store::AcmeAuthorization>& fresh, const store::AcmeOrder& order) {
  for (auto& authorization : fresh) {
    if (authorization.status == "valid") continue;  // granted
    PKI_TRY_VOID(happen(authorization, AcmeAuthorizationEvent::Prove));
    authorization.expires = order.expires;
    authorization.challenges = store::kUnproven;
    base::log_warning("order " + order.id + ": " + authorization.value + " is taken unproven (acme.upki_clients)");
  }
  return {};
}

/// Whether a proof was made in a way that the realm and the account's policy allow for that name today.
bool is_still_good(const store::AcmeAuthorization& proof, const Wish& wish, const x509::GeneralName& name) {
  const auto methods = methods_for(wish.acme, name);
  const auto challenges = challenges_of(proof);
  return std::ranges::any_of(*challenges.as_array(), [&](const Json& one) {
    return one.text("status") == "valid" && std::ranges::find(methods, one.text("type")) != methods.end();
  });
}

/// Fills in the order's identifiers and authorizations. @return those that are new, granted or to be proved; for the others the
/// account has proofs that outlive the order.
Result<std::vector<store::AcmeAuthorization>> authorize(store::Store& store, store::AcmeOrder& order, const Wish& wish) {
  std::vector<store::AcmeAuthorization> fresh;
  Json identifiers = Json::array();
  for (const auto& name : wish.names) {
    identifiers.push_back(identifier_of(name));
    auto authorization = authorization_for(wish.acme, order, name, order.created_at);
    PKI_TRY(const auto earlier, store.find_valid_acme_authorization(authorization, order.expires));
    const bool is_proved = earlier && is_still_good(*earlier, wish, name);
    order.authorizations.push_back(is_proved ? earlier->id : authorization.id);
    if (is_proved) continue;
    if (!wish.needs_proof(name)) PKI_TRY_VOID(grant(authorization, wish.asker, order.created_at));
    fresh.push_back(std::move(authorization));
  }
  order.identifiers = wire::to_text(identifiers);
  return fresh;
}

Status add_order(store::Store& store, const store::AcmeOrder& order, const std::vector<store::AcmeAuthorization>& fresh,
                 const store::Allowance& allowed) {
  auto added = store.add_acme_order(order, fresh, allowed);
  if (added.ok() || added.error().code() != Code::Exists || order.replaces.empty()) return added;
  return acme_error("alreadyReplaced", Code::Conflict, "the certificate has been replaced by another order already");
}

// ----- what becomes of it (RFC 8555 7.1.6)

/// What an authorization has become.
struct Standing {
  std::string status;
  std::string text;  ///< which one it is, and that
};

/// One that is not there any more is "purged".
Result<Standing> standing_of(store::Store& store, const std::string& id, Seconds now) {
  const auto authorization = store.acme_authorization(id);
  if (!authorization.ok() && authorization.error().code() != Code::NotFound) return authorization.error();
  const std::string which = authorization.ok() ? "the authorization for " + authorization->value : "authorization " + id;
  auto status = authorization.ok() ? authorization_status(*authorization, now) : "purged";
  auto text = which + " is " + status;
  return Standing{std::move(status), std::move(text)};
}

/// An order that is pending or ready follows its authorizations: one that was given up or has expired ends it (RFC 8555 7.1.6).
Status follow_authorizations(store::Store& store, store::AcmeOrder& order, Seconds now) {
  // One that an RA brought has its authorizations one after the other (acme.authorization.sync).
  PKI_TRY(const auto identifiers, wire::parse_json(order.identifiers));
  bool all_valid = identifiers.is_array() && order.authorizations.size() >= identifiers.as_array()->size();
  std::string lost;
  for (const auto& id : order.authorizations) {
    PKI_TRY(const auto standing, standing_of(store, id, now));
    if (standing.status == "valid") continue;
    all_valid = false;
    if (standing.status != "pending") lost = standing.text;
  }
  if (all_valid) return happen(order, AcmeOrderEvent::Prove);
  if (lost.empty()) return {};
  order.error = acme_problem("unauthorized", lost);
  return happen(order, AcmeOrderEvent::Lose);
}

/// An issuance that a crash interrupted: the store knows it by the order's idempotency key, once it is there.
Status follow_certificate(store::Store& store, store::AcmeOrder& order) {
  PKI_TRY(const auto record, store.by_idempotency_key(rule_of_order(order.id)));
  if (!record) return {};
  order.serial = record->serial.hex();
  return happen(order, AcmeOrderEvent::Issue);
}

// ----- finalize (RFC 8555 7.4)

/// The one common name that a request may have, as what it names; none: it has none.
Result<std::optional<x509::GeneralName>> common_name_of(const x509::Name& subject) {
  if (std::ranges::count(subject.attributes, "CN", &x509::Attribute::type) > 1)
    return acme_error("badCSR", Code::InvalidParams, "the request has more than one common name");
  const auto text = subject.common_name();
  if (!text) return std::optional<x509::GeneralName>();
  auto name = x509::GeneralName::parse("IP:" + *text);
  if (!name.ok()) name = x509::GeneralName::parse("DNS:" + *text);
  if (name.ok()) return std::optional(*name);
  return acme_error("badCSR", Code::InvalidParams, "the common name \"" + *text + "\" is none of the order's identifiers");
}

/// RFC 8555 7.4: the names of the request, wherever they stand, are exactly the order's identifiers.
Status check_request(const AccountKey& account_key, const Order& request, const std::vector<x509::GeneralName>& names) {
  PKI_TRY(const auto common_name, common_name_of(request.subject));
  auto asked = as_set(request.sans);
  if (common_name) asked.insert(*common_name);
  if (asked != as_set(names))
    return acme_error("badCSR", Code::InvalidParams, "the request's names are not the order's identifiers");
  if (request.key == account_key.key)
    return acme_error("badCSR", Code::BadKey, "the request's key is the account's (RFC 8555 11.1)");
  return {};
}

/// Its signature is looked at here already, although the signer does it again: a request that it refuses would end the order.
Result<Order> read_request(const Params& params) {
  auto request = order_from_csr(params.text("csr"));
  if (!request.ok()) return acme_error("badCSR", request.error().code(), request.error().message());
  const auto proof = request->csr->verify_possession();
  if (!proof.ok()) return acme_error("badCSR", proof.error().code(), proof.error().message());
  return request;
}

/// An RA's orders get their profile with the request (acme_issue_certificate): until then they have the realm's for ACME.
Status choose_profile(const Session& session, const Params& params, store::AcmeOrder& order) {
  if (!params.has("profile")) return {};
  PKI_TRY(const auto wanted, profile_for(session, params));
  if (order.profile == wanted.text()) return {};
  if (order.status != "ready" || store::is_held_back(order))
    return Error(Code::Conflict, "the order is being finalized with profile " + order.profile + ", not " + wanted.text());
  order.profile = wanted.text();
  return {};
}

/// What the certificate says comes from the order; of the request only the key is left.
void fill(Order& request, const store::AcmeOrder& order, std::vector<x509::GeneralName> names) {
  request.subject = x509::Name{};
  request.sans = std::move(names);
  request.profile = ProfileName::parse(order.profile).value();
  request.not_before = order.not_before;
  request.not_after = order.not_after;
  request.roles = Roles{Role::RaOperator};  // the valid authorizations stand in for the role
  request.rule = rule_of_order(order.id);
  request.evidence = "authorizations";
  for (const auto& id : order.authorizations) request.evidence += " " + id;
  request.idempotency_key = request.rule;
  request.acme_account = order.account;
  request.acme_order = order.id;
}

/// The dates of an order may have passed since it was made, and no other request will bring them back.
bool has_lapsed(const realm::Decision& decision) {
  return std::ranges::any_of(decision.checks, [](const auto& check) { return check.rule == "validity" && !check.passed; });
}

/// A better request may follow, unless it is the order itself that the realm refuses by now.
Error refuse(store::Store& store, store::AcmeOrder& order, const realm::Decision& decision) {
  const auto why = decision.refusal();
  if (!has_lapsed(decision)) return acme_error("badCSR", why.code(), why.message());
  if (const auto moved = happen(order, AcmeOrderEvent::Refuse); !moved.ok()) return moved.error();
  order.error = acme_problem("malformed", why.message());
  if (const auto ended = store.update_acme_order(order); !ended.ok()) return ended.error();
  return acme_error("malformed", Code::InvalidParams, why.message());
}

/// What another try may not meet: a signer or a database that is away.
bool is_passing(const Error& why) {
  return why.code() == Code::Unavailable || why.code() == Code::Busy || why.code() == Code::Timeout ||
         why.code() == Code::StoreFailed;
}

/// Refusals that will stay end the order; what may pass gives it back. Only of what was refused nothing is signed any more, so
/// that its room is another's at once.
Status give_up(store::Store& store, store::AcmeOrder& order, const Error& why) {
  const bool passing = is_passing(why);
  if (is_refusal(why)) PKI_TRY_VOID(store.release_acme_certificate(order.id));
  PKI_TRY_VOID(happen(order, passing ? AcmeOrderEvent::GiveBack : AcmeOrderEvent::Refuse));
  if (passing) order.csr.clear();
  if (!passing) order.error = acme_problem("rejectedIdentifier", why.message());
  return store.update_acme_order(order);
}

Error not_ready(const store::AcmeOrder& order) {
  return acme_error("orderNotReady", Code::Conflict, "the order is " + order.status + ", expected ready");
}

/// That its account and its authorizations are in force still: they may have ended since they were looked at.
Status check_standing(store::Store& store, const store::AcmeOrder& order, Seconds now) {
  PKI_TRY([[maybe_unused]] const auto account, valid_account(store, order.account));
  for (const auto& id : order.authorizations) {
    PKI_TRY(const auto standing, standing_of(store, id, now));
    if (standing.status != "valid") return acme_error("unauthorized", Code::PolicyRefused, standing.text);
  }
  return {};
}

/// From here on the order is finalized with this request and no other. What it stands on is looked at by the transaction that
/// writes this. @param event  Hold or Sign
Status keep_request(store::Store& store, store::AcmeOrder& order, const Order& request, AcmeOrderEvent event, Seconds now) {
  const auto der = request.csr->der();
  if (order.status != "ready" || (event == AcmeOrderEvent::Hold && store::is_held_back(order))) return {};
  PKI_TRY_VOID(happen(order, event));
  order.csr = Bytes(der.begin(), der.end());
  for (int attempt = 1;; ++attempt) {
    auto written = store.update_acme_order(order, [&] { return check_standing(store, order, now); });
    if (!is_conflict(written)) return written;
    PKI_TRY(const auto other, store.acme_order(order.id));
    const bool is_as_before = other.status == "ready" || other.status == "pending";  // a look at it wrote what it had become
    if (!is_as_before || store::is_held_back(other) || attempt == kTries) return not_ready(other);
    order.version = other.version;
  }
}

/// Room for the certificate, unless it is there: another request for the same order may have been quicker.
/// @return whether it is to be signed.
Result<bool> take_room(Session& session, store::Store& store, store::AcmeOrder& order, const Order& request) {
  const auto room = reserve_certificate(session, store, order, request.sans);
  if (room.ok()) return true;
  PKI_TRY_VOID(follow_certificate(store, order));
  return order.status == "valid" ? Result<bool>(false) : room.error();
}

/// The order becomes processing before the signer is asked: whoever would end it meanwhile is too late, or was first, and then
/// nothing is signed. @pre hold_order
Result<store::AcmeOrder> issue_for(Session& session, store::Store& store, store::AcmeOrder order, const Order& request) {
  PKI_TRY(const bool is_to_be_signed, take_room(session, store, order, request));
  if (!is_to_be_signed) return order;
  if (const auto kept = keep_request(store, order, request, AcmeOrderEvent::Sign, session.clock().now()); !kept.ok()) {
    PKI_TRY_VOID(store.release_acme_certificate(order.id));
    return kept.error();
  }
  const auto issued = issue(session, request);
  if (!issued.ok()) {
    PKI_TRY_VOID(give_up(store, order, issued.error()));
    return issued.error();
  }
  PKI_TRY_VOID(happen(order, AcmeOrderEvent::Issue));  // and stored so with the certificate
  order.serial = issued->certificate.serial().hex();
  return order;
}

/// One that was held back has to be allowed still; its authorizations and its end were looked at when it was read. Of one that a
/// process left which is no more, the signer may have signed the certificate, and somebody have it: that is not taken back.
Status check_held_back(Session& session, store::Store& store, store::AcmeOrder& order,
                       const std::vector<x509::GeneralName>& names) {
  if (!store::is_held_back(order)) return {};
  const auto allowed = check_finalize(session, store, order, names);
  if (allowed.ok() || is_passing(allowed.error())) return allowed;
  PKI_TRY_VOID(happen(order, AcmeOrderEvent::Refuse));
  order.error = problem_of(allowed.error());
  return store.update_acme_order(order);
}

/// What was held back, or what an interrupted finalize left, is finished with the request that the order keeps; the idempotency
/// key makes both tries one. @pre hold_order
Result<store::AcmeOrder> resume(Session& session, store::Store& store, store::AcmeOrder order) {
  PKI_TRY(const auto identifiers, wire::parse_json(order.identifiers));
  PKI_TRY(auto names, names_of(identifiers));
  const auto allowed = check_held_back(session, store, order, names);
  if (!allowed.ok() || order.status == "invalid") return store.acme_order(order.account, order.id);
  PKI_TRY(auto csr, x509::Csr::from_der(order.csr));
  Order request;
  request.key = csr.public_key();
  request.csr = std::move(csr);
  fill(request, order, std::move(names));
  auto done = issue_for(session, store, order, request);
  return done.ok() ? done : store.acme_order(order.account, order.id);
}

/// Whoever has it signs for the order, or refuses it: another one at the same time would undo what the first one says. It ends
/// with the process. @errors Busy: another has it still.
Result<store::Hold> hold_order(Session& session, const std::string& account, const std::string& order,
                               std::chrono::milliseconds patience) {
  return store::Hold::take(session.realm().database_file(), "order " + order + " of account " + account, patience);
}

}  // namespace

Result<bool> follow(store::Store& store, store::AcmeOrder& order, Seconds now) {
  const auto before = order.status;
  if (is_open(order)) PKI_TRY_VOID(follow_authorizations(store, order, now));
  if (order.status == "processing") PKI_TRY_VOID(follow_certificate(store, order));
  if (is_open(order) && now >= order.expires) {
    PKI_TRY_VOID(happen(order, AcmeOrderEvent::Expire));
    order.error = acme_problem("malformed", "the order has expired");
  }
  return order.status != before;
}

Status bring_up_to_date(store::Store& store, store::AcmeOrder& order, Seconds now) {
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(const bool changed, follow(store, order, now));
    if (!changed) return {};
    const auto written = store.update_acme_order(order);
    if (!is_conflict(written) || attempt == kTries) return unless_overtaken(written);
    PKI_TRY(order, store.acme_order(order.id));  // what it became meanwhile counts
  }
}

Result<store::AcmeOrder> current_order(Session& session, store::Store& store, const std::string& account, const std::string& id) {
  PKI_TRY(auto order, store.acme_order(account, id));
  PKI_TRY_VOID(bring_up_to_date(store, order, session.clock().now()));
  return order;
}

Result<Json> acme_order_create(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(auto* store, session.store());
  const auto view = store->view();
  PKI_TRY(const auto account, signing_account(*store, params));
  PKI_TRY(const auto wish, read_wish(session, *store, account, params));
  Order wanted;
  PKI_TRY(wanted.profile, profile_by(wish.policy, session, params));
  wanted.sans = wish.names;
  wanted.not_before = params.time("not_before");
  wanted.not_after = params.time("not_after");
  PKI_TRY_VOID(check_policy(session, account, wanted));
  const auto& acme = session.realm().acme;
  const auto now = session.clock().now();
  store::AcmeOrder order{.id = random_id(),
                         .account = account.id,
                         .status = std::string(realm::acme_order_life().begins()),
                         .identifiers = {},
                         .profile = wanted.profile.text(),
                         .not_before = wanted.not_before,
                         .not_after = wanted.not_after,
                         .expires = now + acme.order_lifetime,
                         .created_at = now,
                         .replaces = params.text("replaces"),
                         .asked_from = wish.asker.address};
  PKI_TRY(auto fresh, authorize(*store, order, wish));
  if (!order.replaces.empty()) PKI_TRY_VOID(check_replacement(*store, {account.id, wish.names, order.replaces}, now));
  if (acme.upki_clients == "yes") PKI_TRY_VOID(take_unproven(fresh, order));
  const auto open = std::ranges::count(fresh, "pending", &store::AcmeAuthorization::status);
  if (open == 0) PKI_TRY_VOID(happen(order, AcmeOrderEvent::Prove));
  const NewOrder asked{.account = account.id,
                       .names = wish.names,
                       .fresh_authorizations = static_cast<std::size_t>(open),
                       .replaces = order.replaces};
  PKI_TRY_VOID(check_limits(session, *store, wish.policy, asked));
  PKI_TRY_VOID(add_order(*store, order, fresh, allowance_for(session, *store, wish.policy, asked)));
  return describe_order(order);
}

Result<Json> acme_order_get(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, signing_account(*store, params));
  PKI_TRY(auto order, current_order(session, *store, account.id, params.text("order")));
  if (!is_finalized(order) || !session.realm().acme.enabled) return describe_order(order);
  const auto hold = hold_order(session, account.id, order.id, {});
  if (!hold.ok()) return hold.error().code() == Code::Busy ? describe_order(order) : Result<Json>(hold.error());
  PKI_TRY(order, current_order(session, *store, account.id, order.id));  // whoever had it may have finished
  if (!is_finalized(order)) return describe_order(order);
  PKI_TRY(const auto caa, claim_caa_checks(session, *store, order));
  if (!caa.is_fresh) return describe_order(order).set("caa_checks", caa.checks);
  PKI_TRY(order, resume(session, *store, std::move(order)));
  return describe_order(order);
}

Result<Json> acme_order_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, signing_account(*store, params));
  PKI_TRY(const auto page, store->acme_orders(account.id, page_limit(params), params.text("after")));
  return page_of("orders", Json::strings(page.items), page.next);
}

Result<Json> acme_order_finalize(Session& session, const Params& params) {
  PKI_TRY_VOID(check_enabled(session));
  PKI_TRY(auto* store, session.store());
  // Who repeats the request while it is carried out gets the same answer.
  PKI_TRY(const auto hold, hold_order(session, params.text("account"), params.text("order"), kFinalizePatience));
  const auto view = store->view();
  PKI_TRY(const auto account, signing_account(*store, params));
  PKI_TRY(auto order, store->acme_order(account.id, params.text("order")));
  PKI_TRY(const bool changed, follow(*store, order, session.clock().now()));
  // That it is ready need not be stored: what it becomes by this request is, or the next look finds out again.
  if (changed && order.status != "ready") PKI_TRY_VOID(unless_overtaken(store->update_acme_order(order)));
  if (order.status == "valid") return describe_order(order);  // the same order never gets two (PROMISES C6)
  if (order.status != "ready" && order.status != "processing") return not_ready(order);
  PKI_TRY(const auto account_key, read_account_key(wire::parse_json(account.jwk).value_or(Json())));
  PKI_TRY(auto names, names_of(wire::parse_json(order.identifiers).value_or(Json::array())));
  PKI_TRY(auto request, read_request(params));
  PKI_TRY_VOID(check_request(account_key, request, names));
  const auto der = request.csr->der();
  if (is_finalized(order) && !std::ranges::equal(der, order.csr)) {
    return acme_error("orderNotReady", Code::Conflict, "the order is being finalized with another request");
  }
  PKI_TRY_VOID(choose_profile(session, params, order));
  PKI_TRY_VOID(check_finalize(session, *store, order, names));
  fill(request, order, std::move(names));
  PKI_TRY(const auto decision, judge(session, request));
  if (!decision.allowed()) return refuse(*store, order, decision);
  PKI_TRY(const auto caa, claim_caa_checks(session, *store, order));
  if (!caa.is_fresh) {
    PKI_TRY_VOID(keep_request(*store, order, request, AcmeOrderEvent::Hold, session.clock().now()));
    return describe_order(order).set("caa_checks", caa.checks);
  }
  if (params.has("peer")) base::log_info("order " + order.id + " is finalized from " + params.text("peer"));
  PKI_TRY(const auto done, issue_for(session, *store, std::move(order), request));
  return describe_order(done);
}

}  // namespace chancery::worker
