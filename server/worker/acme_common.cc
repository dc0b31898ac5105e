#include "server/worker/acme_common.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kIdOctets = 16;
constexpr std::int64_t kDefaultPage = 100;
constexpr std::string_view kMailto = "mailto:";
constexpr std::string_view kRulePrefix = "acme-order:";

Result<Bytes> octets(const Json& jwk, std::string_view name) {
  auto bytes = base::from_base64url(jwk.text(name));
  if (bytes.ok() && !bytes->empty()) return bytes;
  return acme_error("badPublicKey", Code::BadKey, "jwk member " + std::string(name) + " is missing or no base64url");
}

struct Curve {
  std::string_view name;
  int bits;
};
constexpr std::array kCurves{Curve{"P-256", 256}, Curve{"P-384", 384}, Curve{"P-521", 521}};

Result<crypto::PublicKey> ec_key(const Json& jwk) {
  const auto curve = std::ranges::find(kCurves, jwk.text("crv"), &Curve::name);
  if (curve == kCurves.end()) return acme_error("badPublicKey", Code::BadKey, "jwk of an unknown curve");
  PKI_TRY(const auto x, octets(jwk, "x"));
  PKI_TRY(const auto y, octets(jwk, "y"));
  return crypto::PublicKey::from_ec(curve->bits, x, y);
}

Result<crypto::PublicKey> rsa_key(const Json& jwk) {
  PKI_TRY(const auto n, octets(jwk, "n"));
  PKI_TRY(const auto e, octets(jwk, "e"));
  return crypto::PublicKey::from_rsa(n, e);
}

Result<crypto::PublicKey> okp_key(const Json& jwk) {
  if (jwk.text("crv") != "Ed25519") return acme_error("badPublicKey", Code::BadKey, "jwk of an unknown curve");
  PKI_TRY(const auto x, octets(jwk, "x"));
  return crypto::PublicKey::from_ed25519(x);
}

struct Kind {
  std::string_view kty;
  Result<crypto::PublicKey> (*read)(const Json&);
  std::array<std::string_view, 4> members;  ///< RFC 7638 3.2, sorted; unused ones are empty
};
constexpr std::array kKinds{
    Kind{"EC", ec_key, {"crv", "kty", "x", "y"}},
    Kind{"OKP", okp_key, {"crv", "kty", "x", ""}},
    Kind{"RSA", rsa_key, {"e", "kty", "n", ""}},
};

}  // namespace

Error acme_error(std::string_view type, Code code, std::string message) {
  return {code, std::move(message), "acme:" + std::string(type)};
}

std::string acme_problem(std::string_view type, const std::string& detail) {
  return wire::to_text(Json::object({{"type", "urn:ietf:params:acme:error:" + std::string(type)}, {"detail", detail}}));
}

Status check_enabled(const Session& session) {
  return session.realm().acme.enabled ? Status() : Error(Code::NotFound, "ACME is off in this realm");
}

bool is_conflict(const Status& written) { return !written.ok() && written.error().code() == Code::Conflict; }

Status unless_overtaken(const Status& written) { return is_conflict(written) ? Status() : written; }

std::size_t page_limit(const Params& params) {
  return static_cast<std::size_t>(std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1));
}

Json page_of(std::string_view name, Json rows, const std::string& next) {
  auto out = Json::object({{std::string(name), std::move(rows)}});
  if (!next.empty()) out.set("next", next);
  return out;
}

Status check_contacts(const std::vector<std::string>& contacts) {
  for (const auto& contact : contacts) {
    if (!contact.starts_with(kMailto))
      return acme_error("unsupportedContact", Code::InvalidParams, "contact \"" + contact + "\", expected mailto:");
    const auto address = x509::GeneralName::parse("EMAIL:" + contact.substr(kMailto.size()));
    if (!address.ok())
      return acme_error("invalidContact", Code::InvalidParams, "contact \"" + contact + "\": " + address.error().message());
  }
  return {};
}

Status check_policy_name(const config::AcmeConfig& acme, const std::string& name) {
  if (name.empty() || acme.policies.contains(name)) return {};
  std::vector<std::string_view> known;
  for (const auto& [one, policy] : acme.policies) known.emplace_back(one);
  const auto near = base::did_you_mean(name, known);
  return Error(Code::NotFound, "no policy \"" + base::printable(name, 64) + "\" below acme: policies of ca.config.yml",
               near.empty() ? "" : "did you mean \"" + std::string(near) + "\"?");
}

Result<AccountKey> read_account_key(const Json& jwk) {
  const auto kind = std::ranges::find(kKinds, jwk.text("kty"), &Kind::kty);
  if (kind == kKinds.end()) return acme_error("badPublicKey", Code::BadKey, "jwk of an unknown kty");
  auto key = kind->read(jwk);
  if (!key.ok()) return acme_error("badPublicKey", Code::BadKey, key.error().message());
  if (const auto sound = crypto::check_public_key(*key); !sound.ok())
    return acme_error("badPublicKey", Code::BadKey, sound.error().message());
  auto canonical = Json::object();
  for (const auto member : kind->members) {
    if (!member.empty()) canonical.set(member, jwk.text(member));
  }
  auto text = wire::to_text(canonical);
  auto thumbprint = base::to_base64url(crypto::sha256(base::as_bytes(text)));
  return AccountKey{std::move(key).value(), std::move(thumbprint), std::move(text)};
}

Result<store::AcmeAccount> valid_account(store::Store& store, const std::string& id) {
  PKI_TRY(auto account, store.acme_account(id));
  if (account.status != "valid") return Error(Code::Denied, "the account is " + account.status);
  return account;
}

Result<store::AcmeAccount> signing_account(store::Store& store, const Params& params) {
  PKI_TRY(auto account, valid_account(store, params.text("account")));
  if (params.has("signed_by") && params.text("signed_by") != account.thumbprint)
    return Error(Code::AuthFailed, "the request is signed by a key that the account does not have any more");
  return account;
}

Result<store::AcmeAuthorization> owned_authorization(store::Store& store, const std::string& account, const std::string& id) {
  PKI_TRY(auto authorization, store.acme_authorization(id));
  if (!owned_by(authorization, account)) return Error(Code::NotFound, "no such authorization");
  return authorization;
}

std::string rule_of_order(const std::string& id) { return std::string(kRulePrefix) + id; }

bool obtained_by(store::Store& store, const std::string& account, const store::CertificateRecord& record) {
  if (record.acme_account == account) return true;
  // One that came back from the journal has its rule alone.
  if (!record.rule.starts_with(kRulePrefix)) return false;
  return store.acme_order(account, record.rule.substr(kRulePrefix.size())).ok();
}

bool is_open(const store::AcmeOrder& order) { return order.status == "pending" || order.status == "ready"; }

bool is_finalized(const store::AcmeOrder& order) { return order.status == "processing" || store::is_held_back(order); }

Json challenges_of(const store::AcmeAuthorization& authorization) {
  return wire::parse_json(authorization.challenges).value_or(Json::array());
}

std::string authorization_status(const store::AcmeAuthorization& authorization, Seconds now) {
  return store::status_at(authorization, now);
}

std::string random_id() { return base::to_base64url(base::random_bytes(kIdOctets)); }

}  // namespace chancery::worker
