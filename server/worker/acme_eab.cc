#include "server/base/log.h"
#include "server/config/value.h"
#include "server/worker/acme_blocking.h"
#include "server/worker/acme_common.h"
#include "server/worker/handlers.h"

/// The keys of external account bindings, as operators make, see and withdraw them (RFC 8555 7.3.4).
namespace chancery::worker {
namespace {

constexpr std::size_t kKeyOctets = 64;  ///< RFC 7518 3.2: no shorter than the digest, and HS512 has the longest
constexpr std::int64_t kMostSeconds = std::int64_t{36525} * 86400;

const char* state_of(const store::AcmeEab& key, Seconds now) {
  if (key.uses_left && *key.uses_left <= 0) return "used";
  return key.expires_at && *key.expires_at <= now ? "expired" : "good";
}

Json describe(const store::AcmeEab& key, Seconds now) {
  auto out = Json::object({{"kid", key.kid}, {"label", key.label}, {"state", state_of(key, now)}});
  if (!key.policy.empty()) out.set("policy", key.policy);
  if (key.uses_left) out.set("uses_left", *key.uses_left);
  out.set("used", key.used);
  if (key.expires_at) out.set("expires_at", base::to_rfc3339(*key.expires_at));
  return out.set("created_at", base::to_rfc3339(key.created_at)).set("created_by", key.created_by);
}

Result<std::optional<Seconds>> end_of(const Params& params, Seconds now) {
  if (!params.has("expires")) return std::optional<Seconds>();
  const config::SettingInfo info{.least = 60, .most = kMostSeconds, .type = "duration"};
  const auto lifetime = config::Codec<std::chrono::seconds>::parse(info, params.text("expires"));
  if (!lifetime.ok()) return Error(Code::InvalidParams, "expires: " + lifetime.error().message());
  return std::optional(now + *lifetime);
}

}  // namespace

Result<Json> acme_eab_create(Session& session, const Params& params) {
  const auto now = session.clock().now();
  PKI_TRY_VOID(check_policy_name(session.realm().acme, params.text("policy")));
  PKI_TRY(const auto expires_at, end_of(params, now));
  const store::AcmeEab key{
      .kid = random_id(),
      .mac_key = base::to_base64url(base::random_bytes(kKeyOctets)),
      .label = params.text("label"),
      .policy = params.text("policy"),
      .uses_left = params.has("uses") ? std::optional(params.integer("uses")) : std::nullopt,
      .expires_at = expires_at,
      .created_at = now,
      .created_by = session.requester(),
  };
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->add_acme_eab(key));
  base::log_info("key " + key.kid + " of external accounts made by " + session.requester());
  return describe(key, now).set("mac_key", key.mac_key);
}

Result<Json> acme_eab_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto page, store->acme_eabs(page_limit(params), params.text("after")));
  Json rows = Json::array();
  for (const auto& key : page.items) rows.push_back(describe(key, session.clock().now()));
  return page_of("keys", std::move(rows), page.next);
}

/// The key first: nobody is bound by it while its accounts are blocked one after the other.
Result<Json> acme_eab_delete(Session& session, const Params& params) {
  const auto kid = params.text("kid");
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->delete_acme_eab(kid));
  base::log_info("key " + kid + " of external accounts deleted by " + session.requester());
  std::int64_t blocked = 0;
  if (params.boolean("block_accounts")) {
    PKI_TRY(blocked, block_accounts_of(session, *store, kid));
  }
  return Json::object({{"kid", kid}, {"blocked", blocked}});
}

}  // namespace chancery::worker
