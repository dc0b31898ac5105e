#include "clients/acme/service.h"

#include <algorithm>
#include <array>
#include <utility>

#include "clients/acme/problems.h"
#include "clients/http/caller.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kFamilyPrefix = "/acme/";
constexpr std::string_view kCertificatePattern = "/acme/cert/{serial}";
constexpr std::string_view kRenewalPattern = "/acme/renewal-info/{certificate}";
constexpr std::string_view kJoseJson = "application/jose+json";  // RFC 8555 6.2

std::string to_text(SignedBy by) {
  constexpr std::array kTexts{"key", "account", "key or account"};
  return kTexts.at(static_cast<std::size_t>(by));
}

/// What the daemon may say of an account whose key has changed, that was ended, or that is gone.
bool may_be_outdated(const Error& error) {
  constexpr std::array kCodes{Code::AuthFailed, Code::Denied, Code::NotFound};
  return std::ranges::find(kCodes, error.code()) != kCodes.end();
}

}  // namespace

/// The signed resources: every one is a POST. The row says who must have signed and what the payload is; `serve` sees to both
/// before the handler runs.
struct Service::Row {
  std::string_view pattern;
  SignedBy by;
  Payload payload;
  Holder holder;
  Handle handle;
};

constexpr Service::Row Service::kRows[] = {
    {"/acme/new-account", SignedBy::Key, Payload::Object, Holder::Whole, &Service::new_account},
    {"/acme/account/{account}", SignedBy::Account, Payload::Either, Holder::Whole, &Service::account},
    {"/acme/account/{account}/orders", SignedBy::Account, Payload::Empty, Holder::KeyAlone, &Service::orders},
    {"/acme/key-change", SignedBy::Account, Payload::Object, Holder::Whole, &Service::key_change},
    {"/acme/new-authz", SignedBy::Account, Payload::Object, Holder::KeyAlone, &Service::new_authorization},
    {"/acme/new-order", SignedBy::Account, Payload::Object, Holder::KeyAlone, &Service::new_order},
    {"/acme/order/{order}", SignedBy::Account, Payload::Empty, Holder::KeyAlone, &Service::order},
    {"/acme/order/{order}/finalize", SignedBy::Account, Payload::Object, Holder::KeyAlone, &Service::finalize},
    {"/acme/authz/{authorization}", SignedBy::Account, Payload::Either, Holder::KeyAlone, &Service::authorization},
    {"/acme/challenge/{authorization}/{type}", SignedBy::Account, Payload::Either, Holder::KeyAlone, &Service::challenge},
    {"/acme/cert/{serial}", SignedBy::Account, Payload::Empty, Holder::KeyAlone, &Service::certificate},
    {"/acme/revoke-cert", SignedBy::Either, Payload::Object, Holder::KeyAlone, &Service::revoke},
};

void Service::add_shown_certificate(const Call& call, Json& params) const {
  const auto listener = std::ranges::find(listeners_, call.request.listener, &http::ListenerSettings::name);
  if (listener == listeners_.end()) return;
  const auto shown = http::presented_certificate(call.request, *listener);
  if (shown.ok()) params.set("client_certificate", *shown);
}

Service::Service(http::Gateway& gateway, std::vector<http::ListenerSettings> listeners, std::unique_ptr<Panel> panel)
    : gateway_(gateway), listeners_(std::move(listeners)), validator_(gateway, std::move(panel)) {}

void Service::add_routes(http::Router& router) {
  using http::On;
  router.add(http::Family{std::string(kFamilyPrefix), "acme",
                          [this](const auto& request, auto& response) { finish(request, response); },
                          [](int status, std::string_view detail) { return problem_response(status, detail); }});
  router.add(
      http::Route{"GET", std::string(kDirectory), On::Tls, "", [this](const auto& request) { return directory(request); }});
  router.add(http::Route{"GET", std::string(kNewNonce), On::Tls, "", [this](const auto& request) { return new_nonce(request); }});
  router.add(http::Route{"GET", std::string(kCertificatePattern), On::Tls, "",
                         [this](const auto& request) { return unsigned_certificate(request); }});
  router.add(http::Route{"GET", std::string(kRenewalPattern), On::Tls, "",
                         [this](const auto& request) { return renewal_info(request); }});
  for (const auto& row : kRows) {
    router.add(http::Route{"POST", std::string(row.pattern), On::Tls, std::string(kJoseJson),
                           [this, &row](const auto& request) { return serve(row, request); }, http::kMaxBodyBytes,
                           to_text(row.by)});
  }
}

/// RFC 8555 6.5 (nonce), 7.1 (index link); nothing of ACME is for caches.
void Service::finish(const http::Request& request, http::Response& response) {
  response.add("Replay-Nonce", nonces_.make(request.realm));
  response.add("Cache-Control", "no-store");
  response.add("Link", "<" + Urls(request).to(kDirectory) + ">;rel=\"index\"");
}

http::Response Service::serve(const Row& row, const http::Request& request) {
  auto call = authenticate(row, request);
  auto response = call.ok() ? (this->*row.handle)(*call) : Result<http::Response>(call.error());
  if (call.ok() && call->is_remembered && !response.ok() && may_be_outdated(response.error())) response = serve_anew(row, *call);
  return response.ok() ? std::move(response).value() : problem_response(response.error());
}

/// The account may have changed since its key was seen: as if it had not been.
Result<http::Response> Service::serve_anew(const Row& row, Call& call) {
  account_keys_.forget(call.request.realm, call.account);
  call.is_remembered = false;
  PKI_TRY_VOID(check_signer(row, call));
  return (this->*row.handle)(call);
}

/// The checks of RFC 8555 6.2 to 6.5, cheap ones first, all before the daemon is asked to change anything.
Result<Call> Service::authenticate(const Row& row, const http::Request& request) {
  PKI_TRY(auto jws, parse_jws(request.body, JwsPlace::Request));
  PKI_TRY_VOID(nonces_.use(jws.nonce, request.realm));
  const auto url = absolute_url(request);
  if (jws.url != url) {
    return acme_error("unauthorized",
                      "the protected header names url " + base::printable(jws.url, 300) + ", the request was sent to " + url);
  }
  Call call{request, Urls(request), std::move(jws)};
  PKI_TRY_VOID(check_signer(row, call));
  if (call.jws.payload.empty()) {
    if (row.payload == Payload::Object) return acme_error("malformed", "the payload is empty, expected a JSON object");
    return call;
  }
  if (row.payload == Payload::Empty) return acme_error("malformed", "the payload must be empty here (POST-as-GET)");
  const auto payload = wire::parse_json(call.jws.payload);
  if (!payload.ok()) return as_acme(payload.error().within("payload"), "malformed");
  if (!payload->is_object())
    return acme_error("malformed", "the payload is " + std::string(payload->kind()) + ", expected an object");
  call.payload = *payload;
  return call;
}

Status Service::check_signer(const Row& row, Call& call) {
  if (call.jws.jwk) {
    if (row.by == SignedBy::Account) return acme_error("malformed", "protected header: expected kid here, not jwk");
    PKI_TRY(call.key, read_jwk(*call.jws.jwk));
    return verify(call.jws, call.key->key);
  }
  if (row.by == SignedBy::Key) return acme_error("malformed", "protected header: expected jwk here, not kid");
  call.account = account_of_kid(call.request, call.jws.kid);
  if (call.account.empty()) return acme_error("accountDoesNotExist", "the kid is no account URL of this server and realm");
  const auto known = row.holder == Holder::KeyAlone ? account_keys_.find(call.request.realm, call.account) : nullptr;
  if (known == nullptr || !verify(call.jws, known->key).ok()) return check_holder(call);  // it may have another key now
  call.is_remembered = true;
  call.signed_by = known->thumbprint;
  return {};
}

/// Another realm's account and one that never was look alike.
Status Service::check_holder(Call& call) {
  auto account =
      gateway_.call(call.request.realm, "acme.account.get", Json::object({{"account", call.account}}), call.acting_for());
  if (!account.ok()) {
    const bool unknown = account.error().code() == Code::NotFound;
    return unknown ? acme_error("accountDoesNotExist", "there is no such account") : account.error();
  }
  const Json* jwk = account->find("jwk");
  PKI_TRY(auto key, read_jwk(jwk == nullptr ? Json() : *jwk));
  PKI_TRY_VOID(verify(call.jws, key.key));
  // Not before the signature: the account's state is nobody else's business.
  if (account->text("status") != "valid") return acme_error("unauthorized", "the account is " + account->text("status"));
  call.signed_by = key.thumbprint;
  call.holder = std::move(*account);
  account_keys_.keep(call.request.realm, call.account, std::make_shared<const Jwk>(std::move(key)));
  return {};
}

/// What names an account says by which key it was signed, too.
Result<Json> Service::ask(const Call& call, std::string_view method, Json params) {
  if (!call.signed_by.empty() && params.find("account") != nullptr) params.set("signed_by", call.signed_by);
  return gateway_.call(call.request.realm, method, std::move(params), call.acting_for());
}

http::Response json_response(int status, const Json& document) {
  return http::content(status, "application/json", wire::to_text(document) + "\n");
}

Result<const Json*> optional_member(const Json& payload, std::string_view name, std::string_view kind) {
  const Json* value = payload.find(name);
  if (value != nullptr && value->kind() != kind) {
    return acme_error("malformed",
                      "member " + std::string(name) + " is " + std::string(value->kind()) + ", expected " + std::string(kind));
  }
  return value;
}

}  // namespace chancery::acme
