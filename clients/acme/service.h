#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/acme/account_keys.h"
#include "clients/acme/account_limit.h"
#include "clients/acme/jwk.h"
#include "clients/acme/jws.h"
#include "clients/acme/nonce.h"
#include "clients/acme/urls.h"
#include "clients/acme/validator.h"
#include "clients/http/gateway.h"
#include "clients/http/router.h"
#include "clients/http/settings.h"

/// ACME (RFC 8555) before the daemon's acme.* commands. This side speaks HTTP, JWS and nonces; what an account, an order or an
/// authorization is, and who may do what with it, is the daemon's.
namespace chancery::acme {

/// Which key must have signed a request (RFC 8555 6.2).
enum class SignedBy : std::uint8_t { Key, Account, Either };

/// What its payload must be.
enum class Payload : std::uint8_t {
  Object,  ///< a JSON object
  Empty,   ///< POST-as-GET (6.3)
  Either
};

/// What the handler needs of the account that signed.
enum class Holder : std::uint8_t {
  Whole,    ///< all of it, as it is now
  KeyAlone  ///< its key, which may be known from earlier: the daemon is told which it was
};

/// A request whose JWS was verified: handlers are reachable with one of these only.
struct Call {
  const http::Request& request;
  Urls urls;
  Jws jws;
  std::string account{};          ///< id of the account that signed; empty when a bare key did
  std::string signed_by{};        ///< thumbprint of that account's key
  bool is_remembered = false;     ///< that key was known from an earlier request
  std::optional<Json> holder{};   ///< that account, as acme.account.get gives it, of rows of Holder::Whole
  std::optional<Jwk> key{};       ///< the key that signed, when the request brought it
  std::optional<Json> payload{};  ///< none: POST-as-GET

  /// Whom the daemon is told that this is for.
  std::string acting_for() const { return "acme:" + (account.empty() && key ? key->thumbprint : account); }
};

class Service {
 public:
  /// @param panel  what asks vantage points; null: this front end has no key for it
  explicit Service(http::Gateway& gateway, std::vector<http::ListenerSettings> listeners = {}, std::unique_ptr<Panel> panel = {});

  /// Adds the routes and makes every answer below /acme/ carry a nonce, the index link and no-store.
  void add_routes(http::Router& router);

 private:
  using Handle = Result<http::Response> (Service::*)(const Call&);
  struct Row;
  static const Row kRows[];

  // service.cc: from a request to a verified call
  http::Response serve(const Row& row, const http::Request& request);
  Result<Call> authenticate(const Row& row, const http::Request& request);
  Result<http::Response> serve_anew(const Row& row, Call& call);
  Status check_signer(const Row& row, Call& call);
  Status check_holder(Call& call);
  void finish(const http::Request& request, http::Response& response);
  Result<Json> ask(const Call& call, std::string_view method, Json params);

  // directory.cc
  http::Response directory(const http::Request& request);
  http::Response new_nonce(const http::Request& request);

  // accounts.cc
  Result<http::Response> new_account(const Call& call);
  Result<Json> find_or_make_account(const Call& call, Json params, std::optional<std::chrono::seconds>& wait);
  Result<http::Response> account(const Call& call);
  Result<http::Response> orders(const Call& call);
  Result<http::Response> key_change(const Call& call);
  Result<http::Response> key_in_use(const Call& call, const Jwk& key);

  /// The client's certificate, if it has shown one that TLS accepts; else nothing, for ACME asks nobody for one.
  void add_shown_certificate(const Call& call, Json& params) const;

  // orders.cc
  Result<http::Response> new_order(const Call& call);
  Result<http::Response> order(const Call& call);
  Result<http::Response> finalize(const Call& call);

  // authorizations.cc
  Result<http::Response> new_authorization(const Call& call);
  Result<http::Response> authorization(const Call& call);
  Result<http::Response> challenge(const Call& call);
  using WhenOver = std::function<void(std::optional<Json>)>;
  Result<Json> begin_challenge(const Call& call, const std::string& authorization, const std::string& type,
                               WhenOver when_over = {});
  Json resume_challenges(const Call& call, Json authorization);
  Status begin_caa_checks(const Call& call, const Json& order);

  // renewal.cc
  http::Response renewal_info(const http::Request& request);

  // certificates.cc
  Result<http::Response> certificate(const Call& call);
  http::Response unsigned_certificate(const http::Request& request);
  Result<http::Response> revoke(const Call& call);

  http::Gateway& gateway_;
  std::vector<http::ListenerSettings> listeners_;
  AccountLimit account_limit_;
  AccountKeys account_keys_;
  Nonces nonces_;
  Validator validator_;
};

/// A JSON body.
http::Response json_response(int status, const Json& document);

/// A member of a payload that must have that form when it is there; null when it is not.
/// @errors malformed: another form.
Result<const Json*> optional_member(const Json& payload, std::string_view name, std::string_view kind);

}  // namespace chancery::acme
