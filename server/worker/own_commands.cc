#include <algorithm>

#include "server/base/log.h"
#include "server/base/rate_limit.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

/// What a certificate's holder may do with that certificate and no other (UPKI.md 5.3, /client/*).
namespace chancery::worker {
namespace {

constexpr std::size_t kIdOctets = 8;

/// The params with the serial of the certificate that the session stands on. @pre the session stands on one: In::Holder
Json about_own(const Session& session, const Json& params) {
  auto out = params;
  return out.set("serial", session.login()->serial().hex());
}

/// A node that was deleted does not come back by itself, whatever certificates it has left.
Status check_node_lives(Session& session) {
  const auto cn = session.login()->subject().common_name();
  if (!cn) return {};
  PKI_TRY(auto* store, session.store());
  const auto node = store->node(*cn);
  if (node.ok() || node.error().code() != Code::NotFound) return node.ok() ? Status() : Status(node.error());
  return Error(Code::Denied, "node " + base::printable(*cn, 64) + " was deleted, so its certificates are not renewed",
               "register it again");
}

/// Every renewal has the same names, whatever its key: so one that begets others counts with them.
store::OwnRenewal new_renewal(const Session& session) {
  auto names = session.login()->subject().to_slash();
  for (const auto& san : san_texts(session.login()->sans())) names += "\n" + san;
  return {crypto::sha256_hex(base::as_bytes(names)), base::to_hex(base::random_bytes(kIdOctets)), session.clock().now()};
}

/// @errors PolicyRefused: there were as many within a day as the realm allows.
Status take_turn(Session& session, const store::OwnRenewal& renewal) {
  const auto most = session.realm().own_renewals_per_day;
  if (most == 0)
    return Error(Code::PolicyRefused, "holders renew nothing by themselves in this realm: own_renewals_per_day is 0",
                 "an RA or an operator renews it");
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto earliest, store->take_own_renewal(renewal, renewal.at - kOwnRenewalTurn, static_cast<std::size_t>(most)));
  if (!earliest) return {};
  const auto next = *earliest + kOwnRenewalTurn;
  return Error(Code::PolicyRefused,
               std::string(base::kRateLimited) + "this certificate and its renewals were renewed " + std::to_string(most) +
                   " times within a day, which is what own_renewals_per_day allows; the next is possible from " +
                   base::to_rfc3339(next),
               base::wait_hint(std::max(next - renewal.at, std::chrono::seconds{1}), ", or have an RA or an operator renew it"));
}

/// What was refused was no renewal; after anything else nobody knows whether a certificate was made.
void give_back(Session& session, const store::OwnRenewal& renewal, const Error& why) {
  if (!is_refusal(why)) return;
  const auto store = session.store();
  const auto done = store.ok() ? (*store)->give_back_own_renewal(renewal) : Status(store.error());
  if (!done.ok()) base::log_error("a renewal of " + session.identity().name + " is lost: " + done.error().message());
}

/// A request that is tried again makes no second certificate (PROMISES C6), so it takes no second turn.
Result<bool> is_repeated(Session& session, const Params& params) {
  const auto key = params.text("idempotency_key");
  if (key.empty()) return false;
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto before, store->by_idempotency_key(key));
  return before.has_value();
}

/// The holder's living certificate stands in for the role.
Result<Json> renew(Session& session, const Params& params) {
  const auto own = about_own(session, params.whole());
  auto roles = session.identity().roles;
  roles.add(Role::RaOperator);
  return renew_certificate(session, Params(own), roles, true);
}

}  // namespace

Result<Json> own_certificate_get(Session& session, const Params& params) {
  const auto own = about_own(session, params.whole());
  return certificate_get(session, Params(own));
}

Result<Json> own_certificate_revoke(Session& session, const Params& params) {
  const auto own = about_own(session, params.whole());
  return certificate_revoke(session, Params(own));
}

Result<Json> own_certificate_renew(Session& session, const Params& params) {
  PKI_TRY_VOID(check_node_lives(session));
  PKI_TRY(const bool repeated, is_repeated(session, params));
  if (repeated) return renew(session, params);
  const auto renewal = new_renewal(session);
  PKI_TRY_VOID(take_turn(session, renewal));
  auto renewed = renew(session, params);
  if (!renewed.ok()) give_back(session, renewal, renewed.error());
  return renewed;
}

}  // namespace chancery::worker
