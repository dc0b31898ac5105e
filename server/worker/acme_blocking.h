#pragma once

#include <cstdint>
#include <string>

#include "server/worker/session.h"

/// What operators do to ACME accounts. A blocked account may come back; a deactivated one may not (RFC 8555 7.1.6 knows only the
/// latter; either is answered "unauthorized").
namespace chancery::worker {

enum class AccountStep { Block, Unblock, Deactivate };

/// Takes the step, and ends the account's open orders where it leads away from valid. An account that is there already stays.
/// @errors NotFound; Conflict: no step leads there from what the account is.
Result<store::AcmeAccount> take_account_step(Session& session, store::Store& store, const std::string& account, AccountStep step);

/// Those that are not finalized yet, of an account that is in force no more.
Status end_open_orders(store::Store& store, const store::AcmeAccount& account);

/// Blocks the accounts in force that a key of external account bindings bound. @return how many.
Result<std::int64_t> block_accounts_of(Session& session, store::Store& store, const std::string& eab);

}  // namespace chancery::worker
