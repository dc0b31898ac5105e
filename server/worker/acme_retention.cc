#include "server/worker/acme_retention.h"

#include "server/base/log.h"
#include "server/worker/acme_limits.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kBatch = 500;
constexpr std::size_t kAccountsAtOnce = 100;
constexpr std::chrono::days kKeysKept{30};            ///< an expired key of external account bindings is listed so long
constexpr std::chrono::minutes kBetweenAccounts{10};  ///< so that the place in the list is not written in every round
constexpr const char* kSweep = "acme_account_sweep";

/// Where looking through all accounts stands, round and round.
struct Sweep {
  Seconds at{};
  std::string after;  ///< the key of a page; empty: from the first one
};

Result<Sweep> read_sweep(store::Store& store) {
  PKI_TRY(const auto text, store.get_meta(kSweep));
  if (!text) return Sweep{};
  const auto space = text->find(' ');
  const auto at = base::from_rfc3339(text->substr(0, space));
  if (!at.ok() || space == std::string::npos) return Sweep{};
  return Sweep{*at, text->substr(space + 1)};
}

/// Neither an order nor a certificate in force since then. A blocked account stays, for its key would make a new one.
Result<bool> is_unused(store::Store& store, const store::AcmeAccount& account, Seconds since) {
  const bool may_go = account.status == "valid" || account.status == "deactivated";
  if (!may_go || account.created_at >= since) return false;
  PKI_TRY(const auto orders, store.acme_order_times(account.id, since, 1));
  if (!orders.empty()) return false;
  PKI_TRY(const auto end, store.latest_certificate_end("acme:" + account.id));
  return !end || *end < since;
}

Status purge_accounts(store::Store& store, std::chrono::seconds retention, Seconds now) {
  PKI_TRY(auto sweep, read_sweep(store));
  if (now < sweep.at + kBetweenAccounts) return {};
  PKI_TRY(const auto page, store.acme_accounts(kAccountsAtOnce, sweep.after));
  for (const auto& account : page.items) {
    PKI_TRY(const bool unused, is_unused(store, account, now - retention));
    if (!unused) continue;
    const auto gone = store.delete_acme_account(account);
    if (gone.ok()) base::log_info("ACME account " + account.id + " removed: unused for " + base::in_words(retention));
    if (!gone.ok() && gone.error().code() != Code::Conflict) return gone;
  }
  if (page.items.empty() && sweep.after.empty()) return {};
  return store.set_meta(kSweep, base::to_rfc3339(now) + " " + page.next);
}

}  // namespace

Status purge_acme(Session& session, store::Store& store) {
  const auto& acme = session.realm().acme;
  const auto now = session.clock().now();
  PKI_TRY([[maybe_unused]] const auto ended, store.purge_acme(now - acme.order_retention, kBatch));
  PKI_TRY_VOID(purge_limits(session, store));
  PKI_TRY_VOID(store.purge_acme_eabs(now - kKeysKept, kBatch));
  return acme.account_retention.count() == 0 ? Status() : purge_accounts(store, acme.account_retention, now);
}

}  // namespace chancery::worker
