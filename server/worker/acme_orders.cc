#include <algorithm>
#include <array>
#include <set>

#include "server/base/log.h"
#include "server/realm/names.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_documents.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kDefaultPage = 100;

// ----- making an order

/// An identifier as a name: dns and ip (RFC 8555 9.7.7, RFC 8738).
Result<x509::GeneralName> name_of(const Json& identifier) {
  const auto type = identifier.text("type");
  const auto value = identifier.text("value");
  if (type != "dns" && type != "ip")
    return acme_error("unsupportedIdentifier", Code::PolicyRefused, "identifier type \"" + type + "\", expected dns or ip");
  const auto name = x509::GeneralName::parse((type == "dns" ? "DNS:" : "IP:") + value);
  if (!name.ok()) return acme_error("rejectedIdentifier", Code::PolicyRefused, name.error().message());
  if (name->value.starts_with("*.")) {
    return acme_error("rejectedIdentifier", Code::PolicyRefused,
                      "wildcard " + value + ": only dns-01 could prove it, and this server offers http-01");
  }
  if (realm::is_reserved(*name))
    return acme_error("rejectedIdentifier", Code::PolicyRefused, "Domain '" + value + "' is reserved and cannot be used");
  return *name;
}

Json identifier_of(const x509::GeneralName& name) {
  return Json::object({{"type", name.type == x509::GeneralName::Type::Dns ? "dns" : "ip"}, {"value", name.value}});
}

/// Each name once, in the order of the request.
Result<std::vector<x509::GeneralName>> names_of(const Json& identifiers) {
  std::vector<x509::GeneralName> names;
  for (const auto& one : *identifiers.as_array()) {
    PKI_TRY(auto name, name_of(one));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  if (names.empty()) return Error(Code::InvalidParams, "the order has no identifiers");
  return names;
}

Result<ProfileName> profile_for(const Session& session, const Params& params) {
  const auto& acme = session.realm().acme;
  if (!params.has("profile")) return acme.profile;
  PKI_TRY(auto wanted, ProfileName::parse(params.text("profile")));
  if (wanted == acme.profile || std::ranges::find(acme.profiles, wanted) != acme.profiles.end()) return wanted;
  return acme_error("invalidProfile", Code::PolicyRefused, "profile " + wanted.text() + " is not offered by ACME in this realm");
}

/// The rules of the realm's policy that an order can break before there is a request, and what ACME calls that.
struct OrderRule {
  std::string_view rule;
  std::string_view type;
  Code code;
};
constexpr std::array kOrderRules{
    OrderRule{"names", "rejectedIdentifier", Code::PolicyRefused},
    OrderRule{"reserved-names", "rejectedIdentifier", Code::PolicyRefused},
    OrderRule{"validity", "malformed", Code::InvalidParams},
};

/// The slack that the policy leaves is for the time between order and finalize; an order itself begins within the backdate.
Status check_start(const config::RealmConfig& realm, const std::optional<Seconds>& not_before, Seconds now) {
  if (!not_before || *not_before >= now - realm.backdate) return {};
  return acme_error("malformed", Code::InvalidParams,
                    "notBefore " + base::to_rfc3339(*not_before) + " lies too far back, the realm allows " +
                        std::to_string(realm.backdate.count()) + " s");
}

/// What the realm would refuse anyway is refused before anything is proved: RFC 8555 7.4 forbids to issue other contents than
/// those asked for. The account's key stands in for the one to come, so only what is known now is looked at.
Status check_policy(Session& session, const store::AcmeAccount& account, Order wanted) {
  PKI_TRY_VOID(check_start(session.realm(), wanted.not_before, session.clock().now()));
  PKI_TRY(const auto jwk, wire::parse_json(account.jwk));
  PKI_TRY(const auto stand_in, read_account_key(jwk));
  wanted.key = stand_in.key;
  PKI_TRY(const auto decision, judge(session, wanted));
  for (const auto& row : kOrderRules) {
    const auto check = std::ranges::find(decision.checks, row.rule, &realm::Check::rule);
    if (check != decision.checks.end() && !check->passed) return acme_error(row.type, row.code, check->detail);
  }
  return {};
}

store::AcmeAuthorization authorization_for(const config::AcmeConfig& acme, const std::string& account,
                                           const x509::GeneralName& name, Seconds now) {
  const auto challenge = Json::object({{"type", "http-01"}, {"token", random_id()}, {"status", "pending"}});
  return store::AcmeAuthorization{.id = random_id(),
                                  .account = account,
                                  .type = name.type == x509::GeneralName::Type::Dns ? "dns" : "ip",
                                  .value = name.value,
                                  .status = "pending",
                                  .expires = now + acme.order_lifetime,
                                  .created_at = now,
                                  .challenges = wire::to_text(Json::array({challenge}))};
}

// ----- what becomes of it (RFC 8555 7.1.6)

std::string problem(std::string_view type, const std::string& detail) {
  return wire::to_text(Json::object({{"type", "urn:ietf:params:acme:error:" + std::string(type)}, {"detail", detail}}));
}

/// An order that is pending or ready follows its authorizations: one that was given up or has expired ends it (RFC 8555 7.1.6).
Status follow_authorizations(store::Store& store, store::AcmeOrder& order, Seconds now) {
  bool all_valid = true;
  for (const auto& id : order.authorizations) {
    PKI_TRY(const auto authorization, store.acme_authorization(id));
    const auto status = authorization_status(authorization, now);
    if (status == "valid") continue;
    all_valid = false;
    if (status == "pending") continue;
    order.status = "invalid";
    order.error = problem("unauthorized", "the authorization for " + authorization.value + " is " + status);
  }
  if (all_valid) order.status = "ready";
  return {};
}

/// An issuance that a crash interrupted: the store knows it by the order's idempotency key, once it is there.
Status follow_certificate(store::Store& store, store::AcmeOrder& order) {
  PKI_TRY(const auto record, store.by_idempotency_key(rule_of_order(order.id)));
  if (!record) return {};
  order.status = "valid";
  order.serial = record->serial.hex();
  return {};
}

Status bring_up_to_date(store::Store& store, store::AcmeOrder& order, Seconds now) {
  const auto before = order.status;
  const bool open = order.status == "pending" || order.status == "ready";
  if (open) PKI_TRY_VOID(follow_authorizations(store, order, now));
  if (order.status == "processing") PKI_TRY_VOID(follow_certificate(store, order));
  if ((order.status == "pending" || order.status == "ready") && now >= order.expires) {
    order.status = "invalid";
    order.error = problem("malformed", "the order has expired");
  }
  if (order.status == before) return {};
  auto written = store.update_acme_order(order);
  // Another request saw the same and wrote it first: as good.
  if (written.ok() || written.error().code() == Code::Conflict) return {};
  return written;
}

// ----- finalize (RFC 8555 7.4)

std::set<x509::GeneralName> as_set(const std::vector<x509::GeneralName>& names) { return {names.begin(), names.end()}; }

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

Result<Order> read_request(const Params& params) {
  auto request = order_from_csr(params.text("csr"));
  if (!request.ok()) return acme_error("badCSR", request.error().code(), request.error().message());
  return request;
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
  order.status = "invalid";
  order.error = problem("malformed", why.message());
  if (const auto ended = store.update_acme_order(order); !ended.ok()) return ended.error();
  return acme_error("malformed", Code::InvalidParams, why.message());
}

/// Refusals that will stay end the order; what may pass (a signer that is away) gives it back.
Status give_up(store::Store& store, store::AcmeOrder& order, const Error& why) {
  const bool passing = why.code() == Code::Unavailable || why.code() == Code::Busy || why.code() == Code::Timeout ||
                       why.code() == Code::StoreFailed;
  order.status = passing ? "ready" : "invalid";
  if (!passing) order.error = problem("rejectedIdentifier", why.message());
  return store.update_acme_order(order);
}

Result<store::AcmeOrder> issue_for(Session& session, store::Store& store, store::AcmeOrder order, const Order& request) {
  if (order.status == "ready") {
    order.status = "processing";
    const auto der = request.csr->der();
    order.csr = Bytes(der.begin(), der.end());
    PKI_TRY_VOID(store.update_acme_order(order));
  }
  const auto issued = issue(session, request);
  if (!issued.ok()) {
    PKI_TRY_VOID(give_up(store, order, issued.error()));
    return issued.error();
  }
  order.status = "valid";
  order.serial = issued->certificate.serial().hex();
  const auto written = store.update_acme_order(order);
  if (!written.ok() && written.error().code() != Code::Conflict) return written.error();
  return order;
}

/// What an interrupted finalize left is finished with the request that the order keeps; the idempotency key makes both tries one.
Result<store::AcmeOrder> resume(Session& session, store::Store& store, store::AcmeOrder order) {
  PKI_TRY(auto csr, x509::Csr::from_der(order.csr));
  PKI_TRY(const auto identifiers, wire::parse_json(order.identifiers));
  PKI_TRY(auto names, names_of(identifiers));
  Order request;
  request.key = csr.public_key();
  request.csr = std::move(csr);
  fill(request, order, std::move(names));
  auto done = issue_for(session, store, order, request);
  return done.ok() ? done : store.acme_order(order.account, order.id);
}

}  // namespace

Result<store::AcmeOrder> current_order(Session& session, store::Store& store, const std::string& account, const std::string& id) {
  PKI_TRY([[maybe_unused]] const auto owner, valid_account(store, account));
  PKI_TRY(auto order, store.acme_order(account, id));
  PKI_TRY_VOID(bring_up_to_date(store, order, session.clock().now()));
  return order;
}

Result<Json> acme_order_create(Session& session, const Params& params) {
  if (!session.realm().acme.enabled) return Error(Code::NotFound, "ACME is off in this realm");
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto account, valid_account(*store, params.text("account")));
  PKI_TRY(const auto names, names_of(*params.json("identifiers")));
  PKI_TRY(const auto profile, profile_for(session, params));
  Order wanted;
  wanted.profile = profile;
  wanted.sans = names;
  wanted.not_before = params.time("not_before");
  wanted.not_after = params.time("not_after");
  PKI_TRY_VOID(check_policy(session, account, wanted));
  const auto& acme = session.realm().acme;
  const auto now = session.clock().now();
  store::AcmeOrder order{.id = random_id(),
                         .account = account.id,
                         .status = "pending",
                         .identifiers = {},
                         .profile = profile.text(),
                         .not_before = wanted.not_before,
                         .not_after = wanted.not_after,
                         .expires = now + acme.order_lifetime,
                         .created_at = now};
  std::vector<store::AcmeAuthorization> fresh;
  Json identifiers = Json::array();
  for (const auto& name : names) {
    identifiers.push_back(identifier_of(name));
    auto authorization = authorization_for(acme, account.id, name, now);
    PKI_TRY(const auto earlier, store->find_valid_acme_authorization(authorization, order.expires));
    order.authorizations.push_back(earlier ? earlier->id : authorization.id);
    if (!earlier) fresh.push_back(std::move(authorization));
  }
  order.identifiers = wire::to_text(identifiers);
  if (fresh.empty()) order.status = "ready";
  PKI_TRY_VOID(store->add_acme_order(order, fresh));
  return describe_order(order);
}

Result<Json> acme_order_get(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto order, current_order(session, *store, params.text("account"), params.text("order")));
  if (order.status == "processing") {
    PKI_TRY(order, resume(session, *store, std::move(order)));
  }
  return describe_order(order);
}

Result<Json> acme_order_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY([[maybe_unused]] const auto owner, valid_account(*store, params.text("account")));
  const auto limit = std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1);
  PKI_TRY(const auto page, store->acme_orders(params.text("account"), static_cast<std::size_t>(limit), params.text("after")));
  auto out = Json::object({{"orders", Json::strings(page.items)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

Result<Json> acme_order_finalize(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto order, current_order(session, *store, params.text("account"), params.text("order")));
  if (order.status == "valid") return describe_order(order);  // the same order never gets two (PROMISES C6)
  if (order.status != "ready" && order.status != "processing") {
    return acme_error("orderNotReady", Code::Conflict, "the order is " + order.status + ", expected ready");
  }
  PKI_TRY(const auto account, valid_account(*store, order.account));
  PKI_TRY(const auto account_key, read_account_key(wire::parse_json(account.jwk).value_or(Json())));
  PKI_TRY(auto names, names_of(wire::parse_json(order.identifiers).value_or(Json::array())));
  PKI_TRY(auto request, read_request(params));
  PKI_TRY_VOID(check_request(account_key, request, names));
  const auto der = request.csr->der();
  if (order.status == "processing" && !std::ranges::equal(der, order.csr)) {
    return acme_error("orderNotReady", Code::Conflict, "the order is being finalized with another request");
  }
  fill(request, order, std::move(names));
  PKI_TRY(const auto decision, judge(session, request));
  if (!decision.allowed()) return refuse(*store, order, decision);
  PKI_TRY(const auto done, issue_for(session, *store, std::move(order), request));
  return describe_order(done);
}

}  // namespace chancery::worker
