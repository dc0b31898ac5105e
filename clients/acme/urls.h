#pragma once

#include <string>
#include <string_view>

#include "clients/http/message.h"

/// Where ACME's resources are, below a realm's prefix.
namespace chancery::acme {

inline constexpr std::string_view kDirectory = "/acme/directory";
inline constexpr std::string_view kNewNonce = "/acme/new-nonce";
inline constexpr std::string_view kNewAccount = "/acme/new-account";
inline constexpr std::string_view kNewAuthorization = "/acme/new-authz";
inline constexpr std::string_view kRenewalInfo = "/acme/renewal-info";
inline constexpr std::string_view kNewOrder = "/acme/new-order";
inline constexpr std::string_view kRevokeCert = "/acme/revoke-cert";
inline constexpr std::string_view kKeyChange = "/acme/key-change";
inline constexpr std::string_view kAccount = "/acme/account/";
inline constexpr std::string_view kOrder = "/acme/order/";
inline constexpr std::string_view kAuthorization = "/acme/authz/";
inline constexpr std::string_view kChallenge = "/acme/challenge/";
inline constexpr std::string_view kCertificate = "/acme/cert/";

/// Makes the absolute URLs of one request's realm: scheme, host and prefix as the client used them.
class Urls {
 public:
  explicit Urls(const http::Request& request) : base_(request.origin() + request.prefix) {}

  std::string to(std::string_view path) const { return base_ + std::string(path); }
  std::string account(std::string_view id) const { return to(kAccount) + std::string(id); }
  std::string orders(std::string_view account_id) const { return account(account_id) + "/orders"; }
  std::string order(std::string_view id) const { return to(kOrder) + std::string(id); }
  std::string finalize(std::string_view order_id) const { return order(order_id) + "/finalize"; }
  std::string authorization(std::string_view id) const { return to(kAuthorization) + std::string(id); }
  std::string challenge(std::string_view authorization_id, std::string_view type) const {
    return to(kChallenge) + std::string(authorization_id) + "/" + std::string(type);
  }
  std::string certificate(std::string_view serial) const { return to(kCertificate) + std::string(serial); }

 private:
  std::string base_;
};

/// The URL that the request was sent to: what the JWS must name (RFC 8555 6.4).
std::string absolute_url(const http::Request& request);

/// The account id in a kid; empty when the kid is no account URL of this request's host and realm.
std::string account_of_kid(const http::Request& request, std::string_view kid);

/// Whether a text can be the id of a resource: base64url's letters, at most 64.
bool is_id(std::string_view text);

}  // namespace chancery::acme
