#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/wire/json.h"
#include "server/worker/params.h"
#include "server/worker/session.h"

/// What the acme.* commands share. The front end checks signatures and speaks RFC 8555; the objects and what may become of them
/// are here. An error that has an ACME problem type of its own names it as the first word of its hint: "acme:badCSR".
namespace chancery::worker {

Error acme_error(std::string_view type, Code code, std::string message);

/// A problem document as orders keep it (RFC 8555 6.7).
std::string acme_problem(std::string_view type, const std::string& detail);

/// @errors NotFound: the realm has ACME switched off.
Status check_enabled(const Session& session);

inline constexpr int kTries = 5;  ///< of a change that another one was in the way of
/// Whether another change of the same row came first.
bool is_conflict(const Status& written);
/// The outcome of a change that is as good when another came first, which saw the same.
Status unless_overtaken(const Status& written);

/// How many rows of a list a command asks for, at least one.
std::size_t page_limit(const Params& params);
/// {name: rows}, and the key of the next page, if there is one.
Json page_of(std::string_view name, Json rows, const std::string& next);

/// mailto: with one address and no header fields (RFC 8555 7.3). @errors acme:unsupportedContact, acme:invalidContact.
Status check_contacts(const std::vector<std::string>& contacts);

/// Whether the realm has a policy of that name; empty: none is meant. @errors NotFound, with the nearest.
Status check_policy_name(const config::AcmeConfig& acme, const std::string& name);

/// A public JSON Web Key: the key, and its thumbprint (RFC 7638).
struct AccountKey {
  crypto::PublicKey key;
  std::string thumbprint;
  std::string canonical;  ///< JSON of the required members in RFC 7638's order
};
/// @errors acme:badPublicKey.
Result<AccountKey> read_account_key(const Json& jwk);

/// The account, if it is there and valid. @errors NotFound; Denied: deactivated.
Result<store::AcmeAccount> valid_account(store::Store& store, const std::string& id);
/// The same of a command's account, which must have the key that signed the request, where the command says which one did: a
/// front end may know the account's key from an earlier request. @errors also AuthFailed: it has another key now.
Result<store::AcmeAccount> signing_account(store::Store& store, const Params& params);

/// Whether an order or an authorization is that account's. Another one's is answered as one that does not exist, where who asks
/// is an account (PROMISES F50).
template <class Object>
bool owned_by(const Object& one, const std::string& account) {
  return one.account == account;
}
/// @errors NotFound: also another account's.
Result<store::AcmeAuthorization> owned_authorization(store::Store& store, const std::string& account, const std::string& id);

/// An account's order as it is now: what has expired, become ready, or was interrupted is brought up to date first.
/// @errors NotFound: also another account's.
Result<store::AcmeOrder> current_order(Session& session, store::Store& store, const std::string& account, const std::string& id);

/// Whether a request for an order's certificate may come still: it is pending or ready (RFC 8555 7.1.6).
bool is_open(const store::AcmeOrder& order);
/// Whether the order has its request: it is held back, or being signed.
bool is_finalized(const store::AcmeOrder& order);

/// Writes what an order has become: ready or invalid by its authorizations, valid by its certificate, invalid by the clock.
Status bring_up_to_date(store::Store& store, store::AcmeOrder& order, Seconds now);

/// "acme-order:<id>", the rule and the idempotency key of what an order issues.
std::string rule_of_order(const std::string& id);
/// Whether an order of that account obtained the certificate.
bool obtained_by(store::Store& store, const std::string& account, const store::CertificateRecord& record);

/// Its challenges, as it keeps them.
Json challenges_of(const store::AcmeAuthorization& authorization);
/// "valid", or what it has become.
std::string authorization_status(const store::AcmeAuthorization& authorization, Seconds now);

/// 128 random bits, base64url: ids and tokens (RFC 8555 8: at least 128 bits of entropy).
std::string random_id();

}  // namespace chancery::worker
