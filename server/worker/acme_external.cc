#include "server/worker/acme_external.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::worker {
namespace {

/// RFC 7518 3.2; RFC 8555 7.3.4 wants a MAC.
struct Mac {
  std::string_view name;
  Bytes (*compute)(ByteView key, ByteView data);
};
constexpr std::array kMacs{Mac{"HS256", crypto::hmac_sha256}, Mac{"HS384", crypto::hmac_sha384},
                           Mac{"HS512", crypto::hmac_sha512}};

constexpr std::array<std::string_view, 3> kJwsMembers{"protected", "payload", "signature"};
constexpr std::array<std::string_view, 3> kHeaderMembers{"alg", "kid", "url"};

/// A binding, taken apart; its MAC is not checked yet.
struct Binding {
  const Mac* mac = nullptr;
  std::string kid;
  std::string signing_input;  ///< RFC 7515 5.1 step 8
  Bytes signature;
};

Error malformed(std::string_view what) {
  return acme_error("malformed", Code::InvalidParams, "external account binding: " + std::string(what));
}

/// Those members and no others, each a text: so neither a nonce nor what extends a JWS is there.
Status check_members(const Json& json, std::span<const std::string_view> wanted, std::string_view what) {
  if (!json.is_object()) return malformed(std::string(what) + " is no object");
  for (const auto& [name, value] : *json.as_object()) {
    if (std::ranges::find(wanted, name) == wanted.end())
      return malformed(std::string(what) + ": member " + base::printable(name, 40) + " is not taken");
  }
  for (const auto name : wanted) {
    const Json* value = json.find(name);
    if (value == nullptr || !value->is_string())
      return malformed(std::string(what) + ": member " + std::string(name) + " is no text");
  }
  return {};
}

Result<Json> decode(const std::string& text, std::string_view what) {
  const auto octets = base::from_base64url(text);
  if (!octets.ok()) return malformed(std::string(what) + " is no base64url");
  const auto json = wire::parse_json(base::as_text(*octets));
  if (!json.ok()) return malformed(std::string(what) + ": " + json.error().message());
  return *json;
}

Status read_header(const Json& header, const std::string& url, Binding& binding) {
  PKI_TRY_VOID(check_members(header, kHeaderMembers, "protected header"));
  const auto name = header.text("alg");
  binding.mac = std::ranges::find(kMacs, name, &Mac::name);
  if (binding.mac == kMacs.end()) return malformed("algorithm " + base::printable(name, 20) + ", expected HS256, HS384 or HS512");
  if (header.text("url") != url)
    return malformed("it names url " + base::printable(header.text("url"), 300) + ", the request was sent to " + url);
  binding.kid = header.text("kid");
  return {};
}

/// RFC 8555 7.3.4: the payload is the key that the request itself is signed by.
Status check_payload(const Json& payload, const AccountKey& key) {
  const auto named = read_account_key(payload);
  if (!named.ok()) return malformed("the payload is no account key: " + named.error().message());
  if (named->thumbprint != key.thumbprint) return malformed("the payload is another key than that of the request");
  return {};
}

Result<Binding> read_binding(const Json& jws, const std::string& url, const AccountKey& key) {
  PKI_TRY_VOID(check_members(jws, kJwsMembers, "JWS"));
  PKI_TRY(const auto header, decode(jws.text("protected"), "protected header"));
  Binding binding;
  PKI_TRY_VOID(read_header(header, url, binding));
  PKI_TRY(const auto payload, decode(jws.text("payload"), "payload"));
  PKI_TRY_VOID(check_payload(payload, key));
  auto signature = base::from_base64url(jws.text("signature"));
  if (!signature.ok()) return malformed("signature is no base64url");
  binding.signature = std::move(*signature);
  binding.signing_input = jws.text("protected") + "." + jws.text("payload");
  return binding;
}

Error unauthorized(std::string message) { return acme_error("unauthorized", Code::Denied, std::move(message)); }

/// An unknown key and a wrong MAC look alike and take as long: a MAC is computed either way.
Result<store::AcmeEab> find_key(store::Store& store, const Binding& binding) {
  auto known = store.acme_eab(binding.kid);
  if (!known.ok() && known.error().code() != Code::NotFound) return known.error();
  const SecretBytes mac_key(known.ok() ? base::from_base64url(known->mac_key).value_or({}) : Bytes(64));
  const auto expected = binding.mac->compute(mac_key.view(), base::as_bytes(binding.signing_input));
  const bool same = base::equal_in_constant_time(expected, binding.signature);
  if (!known.ok() || !same || mac_key.empty())
    return unauthorized(
        "the external account binding is by no key of this server: the key identifier is unknown, or the MAC is wrong");
  return known;
}

Status check_usable(const store::AcmeEab& key, Seconds now) {
  if (key.expires_at && *key.expires_at <= now)
    return unauthorized("the key of the external account binding expired " + base::to_rfc3339(*key.expires_at));
  if (key.uses_left && *key.uses_left <= 0)
    return unauthorized("the key of the external account binding has bound all the accounts that it may");
  return {};
}

}  // namespace

Result<std::optional<store::AcmeEab>> read_external_account(Session& session, store::Store& store, const Params& params,
                                                            const AccountKey& key) {
  const auto& wanted = session.realm().acme.external_account;
  const Json* jws = params.json("external_account");
  if (wanted == "none" || (jws == nullptr && wanted != "required")) return std::optional<store::AcmeEab>();
  if (jws == nullptr)
    return acme_error(
        "externalAccountRequired", Code::Denied,
        "a new account needs an external account binding: ask the CA's operators for a key identifier and an HMAC key");
  PKI_TRY(const auto binding, read_binding(*jws, params.text("url"), key));
  PKI_TRY(auto found, find_key(store, binding));
  PKI_TRY_VOID(check_usable(found, session.clock().now()));
  return std::optional(std::move(found));
}

}  // namespace chancery::worker
