#include <algorithm>

#include "clients/acme/problems.h"
#include "clients/acme/service.h"
#include "clients/http/admission.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kCursor = "cursor=";
constexpr int kOrdersPerPage = 100;

/// RFC 8555 7.1.2.
Json account_document(const Json& account, const Urls& urls) {
  Json document = Json::object({{"status", account.text("status")}});
  document.set("contact", Json::strings(account.texts("contact")));
  document.set("termsOfServiceAgreed", account.boolean("terms_agreed"));
  document.set("orders", urls.orders(account.text("id")));
  return document;
}

/// `contact`, when it is there, as the daemon takes it.
Status copy_contact(const Json& payload, Json& params) {
  PKI_TRY(const Json* contact, optional_member(payload, "contact", "an array"));
  if (contact == nullptr) return {};
  for (const auto& one : *contact->as_array()) {
    if (!one.is_string()) return acme_error("invalidContact", "a contact is " + std::string(one.kind()) + ", expected a text");
  }
  params.set("contact", *contact);
  return {};
}

Status copy_boolean(const Json& payload, std::string_view from, Json& params, std::string_view to) {
  PKI_TRY(const Json* value, optional_member(payload, from, "a boolean"));
  if (value != nullptr) params.set(to, *value);
  return {};
}

/// An account agrees to the terms as they are now (RFC 8555 7.3.3); it does not take that back (7.3.2).
Status copy_agreement(const Json& payload, Json& params) {
  PKI_TRY(const Json* agreed, optional_member(payload, "termsOfServiceAgreed", "a boolean"));
  if (agreed != nullptr && *agreed->as_bool()) params.set("terms_agreed", true);
  return {};
}

/// `externalAccountBinding`, when it is there, with the URL that it has to name: the daemon has the key that it is held against.
Status copy_external_account(const Call& call, Json& params) {
  PKI_TRY(const Json* binding, optional_member(*call.payload, "externalAccountBinding", "an object"));
  if (binding == nullptr) return {};
  params.set("external_account", *binding);
  params.set("url", call.jws.url);
  return {};
}

/// An account's own resources belong to it alone.
Status check_owner(const Call& call) {
  if (call.request.parameter("account") == call.account) return {};
  return acme_error("unauthorized", "this is not the account that signed the request");
}

bool is_unknown(const Result<Json>& account) { return !account.ok() && account.error().code() == Code::NotFound; }

int accounts_per_hour(const std::vector<http::ListenerSettings>& listeners, const std::string& name) {
  const auto listener = std::ranges::find(listeners, name, &http::ListenerSettings::name);
  return listener == listeners.end() ? 0 : listener->new_accounts_per_hour;
}

}  // namespace

/// Whoever has an account finds it at any time; a client that made too many gets no new one.
/// @param wait  set when there would be a new one only after that time; the answer is NotFound then.
Result<Json> Service::find_or_make_account(const Call& call, Json params, std::optional<std::chrono::seconds>& wait) {
  const auto group = http::Admission::group_of(call.request.listener, call.request.peer.address);
  wait = account_limit_.take(group, accounts_per_hour(listeners_, call.request.listener), std::chrono::steady_clock::now());
  if (wait) params.set("only_existing", true);
  auto account = ask(call, "acme.account.create", std::move(params));
  const bool made = account.ok() && account->boolean("created");
  if (!wait && !made) account_limit_.give_back(group);
  return account;
}

/// RFC 8555 7.3 and 7.3.1: makes the account of a key, or finds it.
Result<http::Response> Service::new_account(const Call& call) {
  Json params = Json::object({{"jwk", call.key->json}});
  PKI_TRY_VOID(copy_contact(*call.payload, params));
  PKI_TRY_VOID(copy_boolean(*call.payload, "termsOfServiceAgreed", params, "terms_agreed"));
  PKI_TRY_VOID(copy_boolean(*call.payload, "onlyReturnExisting", params, "only_existing"));
  PKI_TRY_VOID(copy_external_account(call, params));
  std::optional<std::chrono::seconds> wait;
  const auto account = find_or_make_account(call, std::move(params), wait);
  if (is_unknown(account) && call.payload->boolean("onlyReturnExisting"))
    return acme_error("accountDoesNotExist", "there is no account with this key");
  if (is_unknown(account) && wait)
    return problem_response(acme_error("rateLimited", "too many new accounts from this address within an hour"), *wait);
  if (!account.ok()) return account.error();
  if (account->text("status") != "valid")
    return acme_error("unauthorized", "the account of this key is " + account->text("status"));
  auto response = json_response(account->boolean("created") ? 201 : 200, account_document(*account, call.urls));
  response.add("Location", call.urls.account(account->text("id")));
  return response;
}

/// RFC 8555 7.3.2 (update), 7.3.6 (deactivation), and POST-as-GET. What a client may not change is passed over.
Result<http::Response> Service::account(const Call& call) {
  PKI_TRY_VOID(check_owner(call));
  if (!call.payload) return json_response(200, account_document(*call.holder, call.urls));
  Json params = Json::object({{"account", call.account}});
  PKI_TRY_VOID(copy_contact(*call.payload, params));
  PKI_TRY_VOID(copy_agreement(*call.payload, params));
  PKI_TRY(const Json* status, optional_member(*call.payload, "status", "a text"));
  if (status != nullptr && *status->as_string() == "deactivated") {
    params.set("status", "deactivated");
  } else if (status != nullptr && *status->as_string() != "valid") {
    return acme_error("malformed", "status " + base::printable(*status->as_string(), 40) + ", expected deactivated");
  }
  if (params.as_object()->size() == 1) return json_response(200, account_document(*call.holder, call.urls));
  PKI_TRY(const auto account, ask(call, "acme.account.update", std::move(params)));
  return json_response(200, account_document(account, call.urls));
}

/// RFC 8555 7.1.2.1: pages linked by rel="next".
Result<http::Response> Service::orders(const Call& call) {
  PKI_TRY_VOID(check_owner(call));
  Json params = Json::object({{"account", call.account}, {"limit", kOrdersPerPage}});
  if (std::string_view query = call.request.query; query.starts_with(kCursor)) {
    PKI_TRY(auto after, http::decode_segment(query.substr(kCursor.size())));
    params.set("after", std::move(after));
  }
  PKI_TRY(const auto page, ask(call, "acme.order.list", std::move(params)));
  Json urls = Json::array();
  for (const auto& id : page.texts("orders")) urls.push_back(call.urls.order(id));
  auto response = json_response(200, Json::object({{"orders", std::move(urls)}}));
  if (const auto next = page.text("next"); !next.empty()) {
    response.add("Link", "<" + call.urls.orders(call.account) + "?" + std::string(kCursor) + next + ">;rel=\"next\"");
  }
  return response;
}

/// RFC 8555 7.3.5, each of its checks in its order.
Result<http::Response> Service::key_change(const Call& call) {
  PKI_TRY(const auto inner, read_jws(*call.payload, JwsPlace::KeyChange));
  PKI_TRY(const auto key, read_jwk(*inner.jwk));
  PKI_TRY_VOID(verify(inner, key.key));
  const auto payload = wire::parse_json(inner.payload);
  if (!payload.ok()) return as_acme(payload.error().within("inner payload"), "malformed");
  if (inner.url != call.jws.url) return acme_error("malformed", "the inner url differs from the outer one");
  if (payload->text("account") != call.jws.kid) return acme_error("malformed", "the inner account differs from the outer kid");
  const Json* old_key = payload->find("oldKey");
  PKI_TRY(const auto old_jwk, read_jwk(old_key == nullptr ? Json() : *old_key));
  PKI_TRY(const auto current, read_jwk(*call.holder->find("jwk")));
  if (old_jwk.thumbprint != current.thumbprint) return acme_error("malformed", "oldKey is not the account's key");
  if (key.thumbprint == current.thumbprint) return acme_error("malformed", "the new key is the account's key already");
  const auto account = ask(call, "acme.account.rekey", Json::object({{"account", call.account}, {"jwk", key.json}}));
  if (account.ok()) return json_response(200, account_document(*account, call.urls));
  const auto code = account.error().code();
  if (code == Code::Exists || code == Code::Conflict) return key_in_use(call, key);
  return account.error();
}

/// 409 with the URL of the account that has the key.
Result<http::Response> Service::key_in_use(const Call& call, const Jwk& key) {
  auto response = problem_response(409, "another account has this key");
  const auto other = ask(call, "acme.account.create", Json::object({{"jwk", key.json}, {"only_existing", true}}));
  if (other.ok()) response.add("Location", call.urls.account(other->text("id")));
  return response;
}

}  // namespace chancery::acme
