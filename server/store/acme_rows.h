#pragma once

#include "server/store/rows.h"
#include "server/store/store.h"

namespace chancery::store {

/// One row of acme_order or acme_authorization, with all its columns. @errors Corrupt.
Result<AcmeOrder> read_order(const Outcome& outcome, std::size_t index);
Result<AcmeAuthorization> read_authorization(const Outcome& outcome, std::size_t index);

}  // namespace chancery::store
