#include "server/worker/acme_blocking.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_moves.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kPage = 500;

/// What operators may have happen, and what comes of it, which is nothing new for an account that is that already.
struct StepRow {
  AccountStep step;
  realm::AcmeAccountEvent event;
  std::string_view to;
};
constexpr std::array kSteps{
    StepRow{AccountStep::Block, realm::AcmeAccountEvent::Block, "blocked"},
    StepRow{AccountStep::Unblock, realm::AcmeAccountEvent::Unblock, "valid"},
    StepRow{AccountStep::Deactivate, realm::AcmeAccountEvent::End, "deactivated"},
};

/// One that is being signed goes its way: what the signer has begun cannot be taken back.
Status end_order(store::Store& store, const std::string& id, const std::string& why) {
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(auto order, store.acme_order(id));
    if (!is_open(order)) return {};
    PKI_TRY_VOID(happen(order, realm::AcmeOrderEvent::Withdraw));
    order.error = acme_problem("unauthorized", why);
    auto written = store.update_acme_order(order);
    if (!is_conflict(written) || attempt == kTries) return written;
  }
}

Result<store::AcmeAccount> write_step(store::Store& store, const std::string& id, AccountStep step) {
  const auto& row = *std::ranges::find(kSteps, step, &StepRow::step);
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(auto account, store.acme_account(id));
    if (account.status == row.to) return account;
    if (const auto moved = happen(account, row.event); !moved.ok())
      return Error(Code::Conflict, "the account is " + account.status + " and does not become " + std::string(row.to));
    const auto written = store.update_acme_account(account);
    if (written.ok()) return account;
    if (!is_conflict(written) || attempt == kTries) return written.error();
  }
}

}  // namespace

Status end_open_orders(store::Store& store, const store::AcmeAccount& account) {
  std::string after;
  do {
    PKI_TRY(const auto page, store.acme_orders(account.id, kPage, after));
    for (const auto& id : page.items) PKI_TRY_VOID(end_order(store, id, "the account is " + account.status));
    after = page.next;
  } while (!after.empty());
  return {};
}

Result<store::AcmeAccount> take_account_step(Session& session, store::Store& store, const std::string& account,
                                             AccountStep step) {
  PKI_TRY(auto changed, write_step(store, account, step));
  base::log_info("ACME account " + changed.id + " is " + changed.status + " by " + session.requester());
  if (changed.status != "valid") PKI_TRY_VOID(end_open_orders(store, changed));
  return changed;
}

Result<std::int64_t> block_accounts_of(Session& session, store::Store& store, const std::string& eab) {
  std::int64_t blocked = 0;
  std::string after;
  do {
    PKI_TRY(const auto page, store.acme_bindings_of(eab, kPage, after));
    for (const auto& one : page.items) {
      const auto done = take_account_step(session, store, one.account, AccountStep::Block);
      if (done.ok()) ++blocked;
      // One that has ended, or was purged, needs no blocking.
      const bool gone = !done.ok() && (done.error().code() == Code::Conflict || done.error().code() == Code::NotFound);
      if (!done.ok() && !gone) return done.error();
    }
    after = page.next;
  } while (!after.empty());
  return blocked;
}

}  // namespace chancery::worker
