#include "clients/acme/service.h"

#include <array>
#include <utility>

#include "clients/acme/problems.h"
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

}  // namespace

/// The signed resources: every one is a POST. The row says who must have signed and what the payload is; `serve` sees to both
/// before the handler runs.
struct Service::Row {
  std::string_view pattern;
  SignedBy by;
  Payload payload;
  Handle handle;
};

constexpr Service::Row Service::kRows[] = {
    {"/acme/new-account", SignedBy::Key, Payload::Object, &Service::new_account},
    {"/acme/account/{account}", SignedBy::Account, Payload::Either, &Service::account},
    {"/acme/account/{account}/orders", SignedBy::Account, Payload::Empty, &Service::orders},
    {"/acme/key-change", SignedBy::Account, Payload::Object, &Service::key_change},
    {"/acme/new-authz", SignedBy::Account, Payload::Object, &Service::new_authorization},
    {"/acme/new-order", SignedBy::Account, Payload::Object, &Service::new_order},
    {"/acme/order/{order}", SignedBy::Account, Payload::Empty, &Service::order},
    {"/acme/order/{order}/finalize", SignedBy::Account, Payload::Object, &Service::finalize},
    {"/acme/authz/{authorization}", SignedBy::Account, Payload::Either, &Service::authorization},
    {"/acme/challenge/{authorization}/{type}", SignedBy::Account, Payload::Either, &Service::challenge},
    {"/acme/cert/{serial}", SignedBy::Account, Payload::Empty, &Service::certificate},
    {"/acme/revoke-cert", SignedBy::Either, Payload::Object, &Service::revoke},
};

Service::Service(http::Gateway& gateway, std::vector<http::ListenerSettings> listeners)
    : gateway_(gateway), listeners_(std::move(listeners)), validator_(gateway) {}

void Service::add_routes(http::Router& router) {
  using http::On;
  router.add(http::Family{std::string(kFamilyPrefix), [this](const auto& request, auto& response) { finish(request, response); },
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
  const auto call = authenticate(row, request);
  auto response = call.ok() ? (this->*row.handle)(*call) : Result<http::Response>(call.error());
  return response.ok() ? std::move(response).value() : problem_response(response.error());
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
  Call call{request, Urls(request), std::move(jws), {}, {}, {}, {}};
  std::optional<crypto::PublicKey> signer;
  PKI_TRY_VOID(find_key(row, call, signer));
  PKI_TRY_VOID(verify(call.jws, *signer));
  // Not before the signature: the account's state is nobody else's business.
  if (call.holder && call.holder->text("status") != "valid") {
    return acme_error("unauthorized", "the account is " + call.holder->text("status"));
  }
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

Status Service::find_key(const Row& row, Call& call, std::optional<crypto::PublicKey>& signer) {
  if (!call.jws.jwk) {
    if (row.by == SignedBy::Key) return acme_error("malformed", "protected header: expected jwk here, not kid");
    return find_account(call, signer);
  }
  if (row.by == SignedBy::Account) return acme_error("malformed", "protected header: expected kid here, not jwk");
  PKI_TRY(auto key, read_jwk(*call.jws.jwk));
  signer = key.key;
  call.key = std::move(key);
  return {};
}

/// Another realm's account and one that never was look alike.
Status Service::find_account(Call& call, std::optional<crypto::PublicKey>& signer) {
  const auto id = account_of_kid(call.request, call.jws.kid);
  if (id.empty()) return acme_error("accountDoesNotExist", "the kid is no account URL of this server and realm");
  auto account = gateway_.call(call.request.realm, "acme.account.get", Json::object({{"account", id}}), "acme:" + id);
  if (!account.ok()) {
    const bool unknown = account.error().code() == Code::NotFound;
    return unknown ? acme_error("accountDoesNotExist", "there is no such account") : account.error();
  }
  const Json* jwk = account->find("jwk");
  PKI_TRY(auto key, read_jwk(jwk == nullptr ? Json() : *jwk));
  signer = key.key;
  call.account = id;
  call.holder = std::move(*account);
  return {};
}

Result<Json> Service::ask(const Call& call, std::string_view method, Json params) {
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
