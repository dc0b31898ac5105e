#include <algorithm>

#include "server/base/log.h"
#include "server/worker/acme_blocking.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/acme_follow.h"
#include "server/worker/acme_terms.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"

/// ACME's accounts, orders and authorizations as the realm's operators see them, whosever they are.
namespace chancery::worker {
namespace {

store::AcmeFilter filter_of(const Session& session, const Params& params) {
  return {.account = params.text("account"), .status = params.text("status"), .now = session.clock().now()};
}

// ----- accounts

Json account_row(const store::AcmeAccount& account, const store::AcmeBinding& binding) {
  auto row = Json::object({{"id", account.id},
                           {"status", account.status},
                           {"contact", wire::parse_json(account.contact).value_or(Json::array())},
                           {"created_at", base::to_rfc3339(account.created_at)}});
  if (!binding.eab.empty()) row.set("eab", binding.eab);
  if (!binding.policy.empty()) row.set("policy", binding.policy);
  return row;
}

Result<store::Page<store::AcmeAccount>> accounts_of_eab(store::Store& store, const Params& params) {
  PKI_TRY(const auto bindings, store.acme_bindings_of(params.text("eab"), page_limit(params), params.text("after")));
  store::Page<store::AcmeAccount> page;
  page.next = bindings.next;
  for (const auto& one : bindings.items) {
    auto account = store.acme_account(one.account);
    if (!account.ok() && account.error().code() != Code::NotFound) return account.error();
    if (account.ok()) page.items.push_back(std::move(*account));
  }
  return page;
}

// ----- orders

Json order_row(const store::AcmeOrder& order, Seconds now) {
  auto row = Json::object({{"id", order.id},
                           {"account", order.account},
                           {"status", store::status_at(order, now)},
                           {"identifiers", wire::parse_json(order.identifiers).value_or(Json::array())},
                           {"profile", order.profile},
                           {"created_at", base::to_rfc3339(order.created_at)},
                           {"expires", base::to_rfc3339(order.expires)}});
  if (!order.serial.empty()) row.set("serial", order.serial);
  return row;
}

/// What is stored follows when somebody looks at the order itself, so each is followed before it is held against the filter.
/// Nothing is written. Looks at kMostPages pages, so that one may be short, even empty, and have a successor.
Result<store::Page<store::AcmeOrder>> orders_as_they_are(store::Store& store, const store::AcmeFilter& filter, std::size_t limit,
                                                         std::string after) {
  constexpr int kMostPages = 50;
  auto any_status = filter;
  any_status.status.clear();
  store::Page<store::AcmeOrder> found;
  for (int looked = 0; looked < kMostPages && found.items.size() < limit; ++looked) {
    PKI_TRY(auto page, store.search_acme_orders(any_status, limit - found.items.size(), after));
    for (auto& order : page.items) {
      PKI_TRY([[maybe_unused]] const bool changed, follow(store, order, filter.now));
      const bool is_wanted = filter.status.empty() || store::status_at(order, filter.now) == filter.status;
      if (is_wanted) found.items.push_back(std::move(order));
    }
    after = page.next;
    if (after.empty()) break;
  }
  found.next = std::move(after);
  return found;
}

Json authorization_row(const store::AcmeAuthorization& authorization, Seconds now) {
  return Json::object({{"id", authorization.id},
                       {"account", authorization.account},
                       {"type", authorization.type},
                       {"name", ordered_name(authorization)},
                       {"status", store::status_at(authorization, now)},
                       {"created_at", base::to_rfc3339(authorization.created_at)},
                       {"expires", base::to_rfc3339(authorization.expires)}});
}

// ----- an order's story

/// What happened, in the order of time.
class Story {
 public:
  void add(const std::string& at, std::string what) {
    if (!at.empty()) lines_.emplace_back(at, std::move(what));
  }
  /// RFC 3339 in UTC sorts as text.
  Json told() {
    std::ranges::stable_sort(lines_, {}, &Line::first);
    Json rows = Json::array();
    for (auto& [at, what] : lines_) rows.push_back(Json::object({{"at", at}, {"what", std::move(what)}}));
    return rows;
  }

 private:
  using Line = std::pair<std::string, std::string>;
  std::vector<Line> lines_;
};

std::string from(const std::string& peer) { return peer.empty() ? std::string() : " from " + peer; }

void tell(const store::AcmeAuthorization& authorization, Story& story) {
  const auto name = ordered_name(authorization);
  const auto challenges = challenges_of(authorization);
  for (const auto& one : *challenges.as_array()) {
    const Json* error = one.find("error");
    auto what = name + " by " + one.text("type") + ": " + one.text("status");
    if (const auto evidence = one.text("evidence"); !evidence.empty()) what += ", " + evidence;
    if (error != nullptr && !error->text("detail").empty()) what += ", " + error->text("detail");
    if (const auto peer = one.text("asked_from"); !peer.empty()) what += ", asked for from " + peer;
    story.add(one.text("validated"), std::move(what));
  }
}

void tell(const store::CertificateRecord& record, Story& story) {
  const auto through = record.front_end.empty() ? "" : " through " + record.front_end;
  story.add(base::to_rfc3339(record.issued_at),
            "certificate " + record.serial.hex() + " issued for " + record.requester + through + ": " + record.evidence);
  if (record.revoked_at)
    story.add(base::to_rfc3339(*record.revoked_at), "certificate revoked by " + record.revoked_by + ": " + record.reason);
}

Result<Json> tell_authorizations(store::Store& store, const store::AcmeOrder& order, Story& story, Seconds now) {
  Json rows = Json::array();
  for (const auto& id : order.authorizations) {
    const auto authorization = store.acme_authorization(id);
    if (!authorization.ok() && authorization.error().code() != Code::NotFound) return authorization.error();
    if (!authorization.ok()) continue;  // purged
    rows.push_back(authorization_row(*authorization, now));
    tell(*authorization, story);
  }
  return rows;
}

Result<Json> whole_story(store::Store& store, const store::AcmeOrder& order, Seconds now) {
  Story story;
  story.add(base::to_rfc3339(order.created_at), "order made by acme:" + order.account + from(order.asked_from));
  PKI_TRY(auto authorizations, tell_authorizations(store, order, story, now));
  auto out = order_row(order, now);
  if (!order.replaces.empty()) out.set("replaces", order.replaces);
  if (!order.error.empty()) out.set("error", wire::parse_json(order.error).value_or(Json::object()));
  out.set("authorizations", std::move(authorizations));
  const auto account = store.acme_account(order.account);
  PKI_TRY(const auto binding, store.acme_binding(order.account));
  if (account.ok()) out.set("holder", account_row(*account, binding));
  PKI_TRY(const auto record, store.by_idempotency_key(rule_of_order(order.id)));
  if (record) {
    tell(*record, story);
    out.set("certificate", describe_record(*record, now));
  }
  return out.set("story", story.told());
}

Result<Json> step(Session& session, const Params& params, AccountStep wanted) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, take_account_step(session, *store, params.text("account"), wanted));
  return Json::object({{"account", account.id}, {"status", account.status}});
}

}  // namespace

Result<Json> acme_accounts(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto page,
          params.has("eab") ? accounts_of_eab(*store, params) : store->acme_accounts(page_limit(params), params.text("after")));
  Json rows = Json::array();
  for (const auto& account : page.items) {
    if (params.has("status") && account.status != params.text("status")) continue;
    PKI_TRY(const auto binding, store->acme_binding(account.id));
    rows.push_back(account_row(account, binding));
  }
  return page_of("accounts", std::move(rows), page.next);
}

Result<Json> acme_orders(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto filter = filter_of(session, params);
  PKI_TRY(const auto page, orders_as_they_are(*store, filter, page_limit(params), params.text("after")));
  Json rows = Json::array();
  for (const auto& order : page.items) rows.push_back(order_row(order, filter.now));
  return page_of("orders", std::move(rows), page.next);
}

Result<Json> acme_authorizations(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto page,
          store->search_acme_authorizations(filter_of(session, params), page_limit(params), params.text("after")));
  Json rows = Json::array();
  for (const auto& one : page.items) rows.push_back(authorization_row(one, session.clock().now()));
  return page_of("authorizations", std::move(rows), page.next);
}

Result<Json> acme_show(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto order, store->acme_order(params.text("order")));
  PKI_TRY_VOID(bring_up_to_date(*store, order, session.clock().now()));
  return whole_story(*store, order, session.clock().now());
}

Result<Json> acme_block(Session& session, const Params& params) { return step(session, params, AccountStep::Block); }
Result<Json> acme_unblock(Session& session, const Params& params) { return step(session, params, AccountStep::Unblock); }
Result<Json> acme_deactivate(Session& session, const Params& params) { return step(session, params, AccountStep::Deactivate); }

Result<Json> acme_account_policy(Session& session, const Params& params) {
  const auto policy = params.text("policy");
  PKI_TRY_VOID(check_policy_name(session.realm().acme, policy));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, store->acme_account(params.text("account")));
  PKI_TRY_VOID(store->set_acme_policy(account.id, policy));
  base::log_info("ACME account " + account.id + " has policy \"" + policy + "\" by " + session.requester());
  return Json::object({{"account", account.id}, {"policy", policy}});
}

}  // namespace chancery::worker
